/** Records as a table for people: one line each, as wide as the terminal. */
import { type Body, objectIn } from '../log/body.ts'
import { activatedIn } from '../log/policies.ts'
import type { RecordView } from '../log/view.ts'
import { type Column, tableLines } from './table.ts'
import type { Colour } from './terminal.ts'

const colours: ReadonlyMap<string, Colour> = new Map([
  ['allow', 'green'],
  ['deny', 'red'],
  ['kill', 'red'],
  ['hold', 'yellow'],
])

const columns: readonly Column<RecordView>[] = [
  { title: 'SEQ', least: 3, leaveOut: 6, cell: ({ seq }) => String(seq) },
  { title: 'TIME', least: 20, cell: ({ timestamp }) => timestamp.replace(/\.\d+Z$/, 'Z') },
  {
    title: 'DECISION',
    least: 8,
    cell: ({ decision, event_type }) => decision ?? event_type,
    colour: (cell) => colours.get(cell),
  },
  { title: 'RESULT', least: 7, cell: ({ result_status, status, state }) => result_status ?? status ?? state },
  { title: 'TARGET', least: 16, cell: targetOf },
  { title: 'SERVER', least: 6, leaveOut: 2, cell: ({ server }) => server },
  { title: 'RULE', least: 12, leaveOut: 1, cell: ({ matched_rule }) => matched_rule },
  {
    title: 'REASON',
    least: 8,
    leaveOut: 3,
    cell: reasonOf,
  },
  { title: 'LEVEL', least: 5, leaveOut: 7, cell: ({ level }) => level },
  { title: 'USER', least: 6, leaveOut: 4, cell: ({ policy_user }) => policy_user },
  { title: 'SESSION', least: 8, leaveOut: 5, cell: ({ session_id }) => session_id },
]

/** The lines of a table; `width` is Infinity where nothing has to fit. Colours go where `stream` is a terminal. */
export function recordLines(
  views: Iterable<RecordView>,
  width: number,
  stream: NodeJS.WriteStream | undefined,
): Generator<string> {
  return tableLines(columns, views, width, stream)
}

/** What a call was of; for what is no call, the policy or the decision it is about. */
function targetOf(view: RecordView): unknown {
  const { name, method, sources, policy_id, policy_version, decision_id, event_type, tools } = view
  if (event_type === 'kill' || event_type === 'kill_lift') return killedIn(view)
  if (name !== undefined) return name ?? method
  if (Array.isArray(tools)) return tools.map(({ tool }) => tool || '(instructions)').join(' ')
  if (event_type.startsWith('policy_') && event_type !== 'policy_check')
    return [policy_id, policy_version, ...[sources].flat()].filter(Boolean).join(' ')
  return decision_id
}

function killedIn({ target, session_id, run_id, principal, name, server }: RecordView): unknown {
  const caller = Object.values((principal ?? {}) as Record<string, unknown>)[0]
  return [target, session_id ?? run_id ?? caller ?? name ?? server].filter((part) => typeof part === 'string').join(' ')
}

/** What became active: the bundles that it came in, as those who built them call them, else the revision of the policy. */
function activatedText(body: Body): string | undefined {
  const layers = Array.isArray(body['layers']) ? body['layers'] : [body]
  const texts = activatedIn(body)?.policies.map(({ revision }, index) => {
    const { name, revision: bundle, sequence } = objectIn(layers[index] as Body, 'bundle')
    if (bundle === undefined) return `revision ${revision.slice(0, 12)}`
    return `bundle ${name}: ${bundle}${sequence === undefined ? '' : `, sequence ${sequence}`}`
  })
  return texts?.join('; ')
}

function reasonOf(view: RecordView): unknown {
  if (view.event_type === 'policy_activation') return activatedText(view)
  const { reason_code, error_code, approver, said_by, result_detail, detail, reason } = view
  return detailOf(reason_code ?? error_code ?? approver ?? said_by, result_detail ?? detail ?? reason)
}

function detailOf(reason: unknown, detail: unknown): unknown {
  return [reason, detail].filter((part) => typeof part === 'string').join(': ')
}
