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
  'kill',
  'activation',
  'start',
  'stop',
] as const satisfies readonly RecordKind[]

/** What is left out is not asked about. A record that has no such member is not selected by one. */
export interface RecordFilter {
  readonly kinds?: readonly RecordKind[]
  readonly session?: string
  readonly server?: string
  readonly tool?: string
  readonly decision?: string
}

export function selects(filter: RecordFilter, record: StoredRecord): boolean {
  const { kinds, session, server, tool, decision } = filter
  if (kinds && !kinds.includes(record.kind)) return false
  // The body is only read when something in it is asked for: most of the work of going through a ledger is this.
  if (session === undefined && server === undefined && tool === undefined && decision === undefined) return true
  const body = bodyOf(record)
  return (
    (session === undefined || body['session_id'] === session) &&
    (server === undefined || body['server'] === server) &&
    (tool === undefined || isOfTool(body, tool)) &&
    (decision === undefined || objectIn(body, 'result')['decision'] === decision)
  )
}

/** A resource or a prompt may have the name of a tool and is not one. */
function isOfTool(body: Body, tool: string): boolean {
  return body['method'] === 'tools/call' && body['name'] === tool
}
