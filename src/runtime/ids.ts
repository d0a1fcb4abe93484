/** Ids of decisions and approvals. */
import { randomUUID } from 'node:crypto'

let lastTime = { ms: 0, text: '' }

/** A UUID of version 7 (RFC 9562): in order of time, so that the ledger's index over them grows at one end. */
export function orderedId(): string {
  const ms = Date.now()
  if (ms !== lastTime.ms) {
    const hex = ms.toString(16).padStart(12, '0')
    lastTime = { ms, text: `${hex.slice(0, 8)}-${hex.slice(8)}-7` }
  }
  return lastTime.text + randomUUID().slice(15)
}
