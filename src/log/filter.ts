/** Which records somebody asks for. */
import type { RecordKind, StoredRecord } from '../model/ledger.ts'
import { type Body, bodyOf, objectIn } from './body.ts'

export const recordKinds = [
  'decision',
  'check',
  'outcome',
  'hold',
  'grant',
  'reject',
  'expiry',
  'consumption',
  'kill',
  'lift',
  'pin',
  'drift',
  'accept',
  'activation',
  'activation_failure',
  'deactivation',
  'start',
  'stop',
] as const satisfies readonly RecordKind[]

/** What is left out is not asked about. A record that has no such member is not selected by one. */
export interface RecordFilter {
  readonly kinds?: readonly RecordKind[]
  readonly session?: string
  readonly agent?: string
  readonly user?: string
  readonly project?: string
  readonly server?: string
  readonly tool?: string
  readonly decision?: string
  /** A reason code. */
  readonly reason?: string
}

export function selects({ kinds, ...asked }: RecordFilter, record: StoredRecord): boolean {
  if (kinds && !kinds.includes(record.kind)) return false
  // The body is only read when something in it is asked for: most of the work of going through a ledger is this.
  if (Object.values(asked).every((value) => value === undefined)) return true
  const body = bodyOf(record)
  const [result, principal] = [objectIn(body, 'result'), objectIn(body, 'principal')]
  const is = (value: string | undefined, found: unknown) => value === undefined || found === value
  return (
    is(asked.session, body['session_id']) &&
    is(asked.agent, principal['agent']) &&
    is(asked.user, principal['user']) &&
    is(asked.project, principal['project']) &&
    is(asked.server, body['server']) &&
    (asked.tool === undefined || isOfTool(body, asked.tool)) &&
    is(asked.decision, result['decision']) &&
    is(asked.reason, result['reason_code'])
  )
}

/** A resource or a prompt may have the name of a tool and is not one. */
function isOfTool(body: Body, tool: string): boolean {
  return body['method'] === 'tools/call' && body['name'] === tool
}
