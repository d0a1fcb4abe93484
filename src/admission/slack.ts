/**
 * Slack: a message with the call and two buttons, and what a press of one says. Texts of a call are `plain_text`, in which
 * Slack sees no link, no mention and no markup.
 */
import { approvalView } from '../log/approvals.ts'
import type { Approval } from '../model/approval.ts'
import { isObject } from '../model/message/json.ts'
import { plain } from '../model/message/plain.ts'
import { slackTextCharsMax } from './limits.ts'
import { invalid, parsed } from './webhook.ts'

export interface Slack {
  /** An incoming webhook: the address is a secret. */
  readonly url: URL
  readonly signingSecret: string
  /** Approvers by the ids of their users. */
  readonly users: ReadonlyMap<string, string>
  /** Where answers to a press go; Slack's own. */
  readonly responseOrigin: string
}

const actions: ReadonlyMap<string, 'approve' | 'reject'> = new Map([
  ['tollgate_approve', 'approve'],
  ['tollgate_reject', 'reject'],
])

/** Undefined for a request that is over: nobody can answer it any more. */
export function slackMessage(approval: Approval, page: string | undefined): string | undefined {
  const view = approvalView(approval, Date.now())
  if (view.state !== 'pending') return undefined
  const { id, name, server, principal, rule, message, risk_level, expires_at, quorum } = view
  const lines = JSON.stringify(view.arguments, null, 2).split('\n').map(plain).join('\n')
  const about = [
    `Call: ${name}`,
    ...(server === '' ? [] : [`Server: ${server}`]),
    `For: ${[principal.user, principal.agent, principal.project].filter(Boolean).join(', ') || 'nobody known'}`,
    `Rule: ${rule}: ${message}`,
    ...(risk_level ? [`Risk: ${risk_level}`] : []),
    `Wanted: ${quorum === 1 ? 'one person' : `${quorum} persons`}, until ${expires_at}`,
    `Request: ${id}`,
  ]
    .map(plain)
    .join('\n')
  const isWhole = lines.length <= slackTextCharsMax && about.length <= slackTextCharsMax
  const shown = isWhole
    ? lines
    : `The call is too long for a message: read it on the page${page ? '' : ', or with `tollgate approvals show`'}.`
  // Nobody approves here what they cannot read here.
  const buttons = [
    ...(isWhole ? [button('tollgate_approve', 'Approve', id, 'primary')] : []),
    button('tollgate_reject', 'Reject', id, 'danger'),
    ...(page === undefined
      ? []
      : [{ type: 'button', text: plainText('Open the page'), action_id: 'tollgate_page', url: page }]),
  ]
  const blocks = [
    { type: 'header', text: plainText('A call waits for approval') },
    { type: 'section', text: plainText(cut(about)) },
    { type: 'section', text: plainText(shown) },
    { type: 'actions', elements: buttons },
  ]
  return JSON.stringify({ text: `A call waits for approval: ${id}`, blocks })
}

function cut(text: string): string {
  return text.length <= slackTextCharsMax ? text : `${text.slice(0, slackTextCharsMax).toWellFormed()}…`
}

function plainText(text: string): object {
  return { type: 'plain_text', text, emoji: false }
}

function button(action_id: string, text: string, value: string, style: string): object {
  return { type: 'button', text: plainText(text), action_id, value, style }
}

export interface Pressed {
  readonly user: string
  /** Undefined for a press that answers nothing. */
  readonly answer: { readonly says: 'approve' | 'reject'; readonly id: string } | undefined
  readonly responseUrl: string | undefined
}

/** What a signed request of Slack says: a form with one field, `payload`. Throws `request_invalid`. */
export function pressedIn(body: Uint8Array): Pressed {
  const payload = new URLSearchParams(Buffer.from(body).toString('utf8')).getAll('payload')
  if (payload.length !== 1) throw invalid('it has no `payload`')
  const { type, user, actions: pressed, response_url } = parsed(payload[0] as string)
  if (type !== 'block_actions' || !isObject(user) || typeof user['id'] !== 'string' || !Array.isArray(pressed))
    throw invalid('its payload is no `block_actions`')
  const [action] = pressed as readonly unknown[]
  const says = isObject(action) ? actions.get(String(action['action_id'])) : undefined
  const id = isObject(action) ? action['value'] : undefined
  return {
    user: user['id'],
    answer: says !== undefined && typeof id === 'string' && pressed.length === 1 ? { says, id } : undefined,
    responseUrl: typeof response_url === 'string' ? response_url : undefined,
  }
}

/** In the place of the message with its buttons, for all; or for who pressed alone. */
export function slackReply(text: string, forAll: boolean): string {
  const blocks = [{ type: 'section', text: plainText(cut(plain(text))) }]
  const where = forAll ? { replace_original: true } : { replace_original: false, response_type: 'ephemeral' }
  return JSON.stringify({ ...where, text: 'Tollgate', blocks })
}
