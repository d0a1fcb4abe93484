/** Ids of decisions and approvals. */
import { randomUUID } from 'node:crypto'

/** A UUID of version 7 (RFC 9562): in order of time, so that the ledger's index over them grows at one end. */
export function orderedId(): string {
  const time = Date.now().toString(16).padStart(12, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`
}
