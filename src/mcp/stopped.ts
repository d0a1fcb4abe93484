/** Calls under way of somebody who is stopped: their callers are told, the server hears that nobody waits, and how they end is unknown. */
import type { Id } from '../model/message/message.ts'
import type { Stopped } from '../pep/stopped.ts'
import type { Waiting } from './inflight.ts'
import type { Step } from './plan.ts'
import { decisionKey, errorCodes, errorLine } from './refusal.ts'
import type { Scope } from './scope.ts'

/** Ends what is stopped of all that is under way, or of one request. A call that waits for a person is judged anew elsewhere. */
export function endStopped(scope: Scope, only?: Id): Step {
  const caller = scope.stopped()
  if (only === undefined) scope.isStopped = caller !== undefined
  const toServer: string[] = []
  const toClient: string[] = []
  for (const waiting of scope.inFlight.all) {
    if (waiting.undecided || waiting.answered || (only !== undefined && waiting.id !== only)) continue
    const stopped = caller ?? stoppedTool(scope, waiting)
    if (stopped === undefined) continue
    if (!waiting.cancelled) toClient.push(endedLine(waiting, stopped))
    // `initialize` is the one request that must not be cancelled.
    if (waiting.method !== 'initialize') toServer.push(cancelledLine(waiting.id, 'stopped'))
    scope.ended(waiting, { status: 'unknown', detail: `stopped: ${stopped.message}` })
    const forgotten = scope.inFlight.answer(waiting.id)
    if (forgotten) scope.ended(forgotten, { status: 'unknown', detail: 'cancelled by the client' })
  }
  return { toServer, toClient }
}

function stoppedTool({ options }: Scope, { act }: Waiting): Stopped | undefined {
  if (act?.method !== 'tools/call') return undefined
  const { session, principal } = options
  return options.gate.stopped({ session, principal, ...act })
}

function endedLine({ id }: Waiting, { reason, message, kill_id }: Stopped): string {
  const told = { reason_code: reason, message, ...(kill_id !== undefined && { kill_id }) }
  const text = `Stopped while it was under way: ${message}. Whether it happened is not known.`
  return errorLine(id, errorCodes.refused, text, { [decisionKey]: told })
}

export function cancelledLine(requestId: Id, reason: string): string {
  const params = { requestId, reason }
  return JSON.stringify({ jsonrpc: '2.0', method: 'notifications/cancelled', params })
}
