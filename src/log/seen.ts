/** Which names the records have of callers and tools. */
import type { KillKind } from '../model/kill.ts'
import type { StoredRecord } from '../model/ledger.ts'
import { bodyOf, objectIn, textIn } from './body.ts'

export function namesSeen(records: Iterable<StoredRecord>, kind: Exclude<KillKind, 'all'>): ReadonlySet<string> {
  const seen = new Set<string>()
  for (const record of records) {
    if (record.kind !== 'decision') continue
    const body = bodyOf(record)
    const name = nameIn(kind, body)
    if (name !== null) seen.add(name)
  }
  return seen
}

function nameIn(kind: Exclude<KillKind, 'all'>, body: ReturnType<typeof bodyOf>): string | null {
  if (kind === 'session') return textIn(body, 'session_id')
  if (kind === 'server') return textIn(body, 'server')
  if (kind === 'run') return textIn(body, 'run_id')
  if (kind === 'tool') return textIn(body, 'method') === 'tools/call' ? textIn(body, 'name') : null
  return textIn(objectIn(body, 'principal'), kind)
}
