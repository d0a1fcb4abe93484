/** Requests for people. What a call says comes from an agent: nothing of it reaches the terminal but as visible text. */
import type { AnswerView, ApprovalView } from '../log/approvals.ts'
import { durationText } from '../mcp/refusal.ts'
import { plain } from '../model/message/plain.ts'
import { type Column, tableLines } from './table.ts'
import { type Colour, paint } from './terminal.ts'

const columns: readonly Column<ApprovalView>[] = [
  { title: 'ID', least: 40, cell: ({ id }) => id },
  { title: 'STATE', least: 8, cell: ({ state, approvals, quorum }) => stateText(state, approvals, quorum) },
  { title: 'EXPIRES', least: 20, leaveOut: 1, cell: ({ expires_at }) => expires_at.replace(/\.\d+Z$/, 'Z') },
  { title: 'TARGET', least: 12, cell: ({ name }) => name },
  { title: 'SERVER', least: 6, leaveOut: 4, cell: ({ server }) => server },
  { title: 'RULE', least: 8, leaveOut: 2, cell: ({ rule }) => rule },
  { title: 'RISK', least: 6, leaveOut: 5, cell: ({ risk_level = '' }) => risk_level },
  { title: 'FOR', least: 6, leaveOut: 3, cell: ({ principal }) => principal.user ?? principal.agent ?? '' },
  {
    title: 'ARGUMENTS',
    least: 10,
    leaveOut: 6,
    cell: ({ arguments: args }) => (args === null ? '' : JSON.stringify(args)),
  },
]

export function approvalLines(
  views: readonly ApprovalView[],
  width: number,
  stream: NodeJS.WriteStream,
): Generator<string> {
  return tableLines(columns, views, width, stream)
}

const colours: Readonly<Record<ApprovalView['state'], Colour>> = {
  pending: 'yellow',
  approved: 'green',
  consumed: 'green',
  rejected: 'red',
  expired: 'dim',
}

/** One request, with all that a person has to know who answers it. */
export function approvalText(view: ApprovalView, now: number): string {
  const { id, state, approvals, quorum, principal, arguments: args } = view
  const said = paint(colours[state], stateText(state, approvals, quorum), process.stdout)
  const lines: readonly (readonly [string, string])[] = [
    ['request', plain(id)],
    ['state', `${said}${state === 'pending' || state === 'approved' ? `, ${untilText(view, now)}` : ''}`],
    ['method', plain(view.asked_method === undefined ? view.method : `${view.asked_method} (${view.method})`)],
    ['target', plain(view.name)],
    ['server', plain(view.server) || '-'],
    ['for', plain([principal.user, principal.agent, principal.project].filter(Boolean).join(', ')) || 'nobody known'],
    ['session', plain(view.session_id) || '-'],
    ['rule', `${plain(view.rule)}: ${plain(view.message)}`],
    ['policy', plain(`${view.policy_id} ${view.policy_version}`.trim())],
    ...(view.risk_level ? [['risk', view.risk_level] as const] : []),
    ['wanted', wantedText(view)],
    ['asked', view.requested_at],
    ...view.answers.map((answer) => [answer.says === 'approve' ? 'approved' : 'rejected', answerText(answer)] as const),
    ['arguments', args === null ? `not kept any more (SHA-256 ${view.arguments_sha256})` : ''],
  ]
  const head = lines.map(([name, text]) => `${`${name.padEnd(10)} ${text}`.trimEnd()}\n`).join('')
  return args === null ? head : `${head}${argumentsText(args)}`
}

/** Line by line as JSON: a line break in a value stays an escape. */
function argumentsText(args: unknown): string {
  return JSON.stringify(args, null, 2)
    .split('\n')
    .map((line) => `  ${plain(line)}\n`)
    .join('')
}

export function saidText(view: ApprovalView, says: 'approve' | 'reject'): string {
  const { id, approvals, quorum, state, expires_at } = view
  if (says === 'reject') return `rejected ${plain(id)}\n`
  if (state === 'pending') return `approved ${plain(id)}, as ${approvals} of ${quorum}: others have to approve too\n`
  return `approved ${plain(id)}: the call runs once, when it is made again before ${expires_at}\n`
}

function stateText(state: ApprovalView['state'], approvals: number, quorum: number): string {
  return state === 'pending' && quorum > 1 ? `${state} ${approvals}/${quorum}` : state
}

function untilText({ expires_at }: ApprovalView, now: number): string {
  return `until ${expires_at} (${durationText(Date.parse(expires_at) - now)} left)`
}

function wantedText({ quorum, not_requester }: ApprovalView): string {
  return `${quorum === 1 ? 'one person' : `${quorum} persons`}${not_requester ? ', not the requester' : ''}`
}

function answerText({ approver, approver_known_by, approver_os_user, at, reason }: AnswerView): string {
  const saidBy = approver_known_by === 'command_line' && approver_os_user !== null
  const known = saidBy ? ` (said by the system's user ${plain(approver_os_user)})` : ''
  return `${at} by ${plain(approver)}${known}${reason === null ? '' : `: ${plain(reason)}`}`
}
