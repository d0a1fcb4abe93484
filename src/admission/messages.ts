/** A whole MCP message that another gateway is about to pass on: what acts is judged, what is known passes. */
import { isPassed } from '../mcp/methods.ts'
import type { Call } from '../model/call.ts'
import type { Decision } from '../model/decision.ts'
import { saysMore } from '../model/message/acts.ts'
import type { Message } from '../model/message/message.ts'
import type { ReasonCode } from '../model/reasons.ts'
import type { AdmissionGate } from './ports.ts'

/** Undefined for what no policy has a word about. */
export function judgedMessage(
  gate: AdmissionGate,
  message: Message,
  about: Omit<Call, 'method' | 'name' | 'arguments'>,
): Decision | undefined {
  if (message.kind === 'response') return undefined
  const { method, params } = message
  if (message.kind === 'notification')
    return method.startsWith('notifications/') ? undefined : refused(gate, 'UNKNOWN_METHOD', 'it has no `id`', method)
  if (message.act === undefined) {
    const subscribes = method === 'subscriptions/listen' && params?.['notifications'] !== undefined
    if (isPassed(method) && !subscribes) return undefined
    return refused(gate, 'UNKNOWN_METHOD', 'the gate does not know the method', method)
  }
  const sent = params !== undefined && saysMore(params, message.act)
  return gate.admit([{ ...message.act, ...about, ...(sent && { params }) }])[0] as Decision
}

export function refused(gate: AdmissionGate, reason: ReasonCode, message: string, method?: string): Decision {
  const about = { reason, message, server: '', principal: {}, session: '', ...(method !== undefined && { method }) }
  return gate.refuse([about])[0] as Decision
}
