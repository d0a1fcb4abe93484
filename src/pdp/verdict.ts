/** From what the policy engine returns to a verdict: exactly one well-formed one, or an error. */

import { type RiskLevel, riskLevels, type Verdict } from '../model/decision.ts'
import { TollgateError } from '../model/errors.ts'
import { type Variant, variants } from '../model/pack/words.ts'

const decisions = ['allow', 'deny', 'hold', 'kill']
const members = new Set([
  'decision',
  'variant',
  'reason_code',
  'rule',
  'message',
  'risk_level',
  'counter',
  'hold',
  'approval_timeout_ms',
  'approval_wait_ms',
  'approval_quorum',
  'approval_not_requester',
])

/** Throws `decision_undefined` where the policy says nothing, and an `Error` on anything else but a result set with one verdict. A member it does not know is something it would not honour. */
export function readVerdict(results: unknown): Verdict {
  if (Array.isArray(results) && results.length === 0)
    throw new TollgateError('decision_undefined', 'the policy gives no decision on this input')
  if (!Array.isArray(results) || results.length !== 1) throw new Error('no single result')
  const verdict: unknown = (results[0] as { result?: unknown } | null)?.result
  if (verdict === null || typeof verdict !== 'object' || Array.isArray(verdict))
    throw new Error('the result is no object')
  const found = verdict as Record<string, unknown>
  if (!decisions.includes(found['decision'] as string))
    throw new Error('the decision is none of allow, deny, hold, kill')
  for (const key of ['reason_code', 'rule', 'message'])
    if (typeof found[key] !== 'string') throw new Error(`\`${key}\` is no text`)
  if (found['variant'] !== undefined && !variants.includes(found['variant'] as Variant))
    throw new Error('unknown variant')
  for (const key of Object.keys(found)) if (!members.has(key)) throw new Error(`unknown member \`${key}\``)
  if (found['risk_level'] !== undefined && !riskLevels.includes(found['risk_level'] as RiskLevel))
    throw new Error('unknown risk level')
  if (found['counter'] !== undefined && typeof found['counter'] !== 'string') throw new Error('`counter` is no text')
  if (found['hold'] !== undefined && typeof found['hold'] !== 'string') throw new Error('`hold` is no text')
  const notRequester = found['approval_not_requester']
  if (notRequester !== undefined && notRequester !== true) throw new Error('`approval_not_requester` is not `true`')
  const quorum = found['approval_quorum']
  if (quorum !== undefined && !(Number.isSafeInteger(quorum) && (quorum as number) > 0))
    throw new Error('odd approval quorum')
  for (const key of ['approval_timeout_ms', 'approval_wait_ms']) {
    const ms = found[key]
    if (ms !== undefined && !(Number.isSafeInteger(ms) && (ms as number) > 0)) throw new Error(`odd \`${key}\``)
  }
  return verdict as Verdict
}
