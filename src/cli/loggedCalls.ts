/** Each call as lines of the log, where the log is to say everything: what was decided, and how it ended. */
import { quoted } from '../model/message/quoted.ts'
import type { Gatekeeper } from '../pep/gatekeeper.ts'
import { aroundGate } from './aroundGate.ts'
import { isSaid, log } from './log.ts'

/** The gate itself where nobody reads of calls. */
export function loggedCalls(gate: Gatekeeper): Gatekeeper {
  if (!isSaid('debug')) return gate
  return aroundGate(gate, {
    admit(calls) {
      const decisions = gate.admit(calls)
      for (const [index, { decision, reason_code, rule, decision_id }] of decisions.entries()) {
        const { method = '', name = '', server = '', session = '' } = calls[index] ?? {}
        const sentence = `${method} ${quoted(name)}: ${decision} (${reason_code}), decision ${decision_id}`
        log('debug', sentence, { decision_id, session, server, method, name, decision, reason_code, rule })
      }
      return decisions
    },
    refuse(refusals) {
      const decisions = gate.refuse(refusals)
      for (const [index, { decision, reason_code, decision_id }] of decisions.entries()) {
        const { session = '', server = '' } = refusals[index] ?? {}
        const sentence = `a message was refused (${reason_code}), decision ${decision_id}`
        log('debug', sentence, { decision_id, session, server, decision, reason_code })
      }
      return decisions
    },
    settle(outcomes) {
      gate.settle(outcomes)
      for (const { decisionId: decision_id, status } of outcomes)
        log('debug', `decision ${decision_id} ended: ${status}`, { decision_id, status })
    },
  })
}
