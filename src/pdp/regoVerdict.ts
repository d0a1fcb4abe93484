/**
 * From what Rego of others says of a call to a verdict (`docs/rego.md`). A yes is `true`, or a document that says so and
 * nothing that is not known here. All else is a no, whose reason code says what was there.
 */
import type { RiskLevel, Verdict } from '../model/decision.ts'
import { riskLevels } from '../model/decision.ts'
import { holdOfRego } from '../model/holds.ts'
import { approvalQuorumMax, approvalTimeoutMsMax, approvalWaitMsMax, regoTextCharsMax } from '../model/limits.ts'
import { isObject } from '../model/message/json.ts'
import type { JsonObject } from '../model/message/message.ts'
import type { ReasonCode } from '../model/reasons.ts'
import type { RegoPolicy } from '../model/rego.ts'

/** `results` is the result set of the engine, `input` the document that it was asked with. */
export function readRegoVerdict(policy: RegoPolicy, results: unknown, input: string): Verdict {
  if (!Array.isArray(results) || results.length > 1) return odd(policy, 'there is no single result')
  if (results.length === 0)
    return denied(policy, 'REGO_UNDEFINED', 'this call is not allowed: the policy says nothing of it')
  const said: unknown = (results[0] as { result?: unknown } | null)?.result
  if (said === true) return verdictOf(policy, 'allow', {})
  if (said === false) return verdictOf(policy, 'deny', {})
  if (!isObject(said)) return odd(policy, 'it is neither true, false nor an object')
  const trouble = troubleIn(said)
  if (trouble !== undefined) return odd(policy, trouble)
  const decision = decisionIn(said)
  return decision === 'require_approval' ? heldVerdict(policy, said, input) : verdictOf(policy, decision, said)
}

const decisions = ['allow', 'deny', 'require_approval'] as const
type Said = (typeof decisions)[number]

/** Of a document without trouble. */
function decisionIn({ allow, decision }: JsonObject): Said {
  if (allow === undefined) return decision as Said
  return allow === true ? 'allow' : 'deny'
}

/** What keeps a document from being a decision; a member that is not known here is one that would not be honoured. */
function troubleIn(said: JsonObject): string | undefined {
  const { allow, decision, approval } = said
  if ((allow === undefined) === (decision === undefined)) return 'it has one of `allow` and `decision`, and not both'
  if (allow !== undefined && typeof allow !== 'boolean') return '`allow` is neither true nor false'
  if (decision !== undefined && !decisions.some((one) => one === decision))
    return '`decision` is none of allow, deny, require_approval'
  if (approval !== undefined && decision !== 'require_approval') return '`approval` stands only with require_approval'
  return troubleOf(said, forms) ?? (approval === undefined ? undefined : troubleInApproval(approval))
}

type Form = (value: unknown) => boolean
const isText: Form = (value) =>
  typeof value === 'string' && value !== '' && value.length <= regoTextCharsMax && value.isWellFormed()
const isUpTo =
  (max: number): Form =>
  (value) =>
    Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= max

const forms = new Map<string, Form>([
  ['allow', () => true],
  ['decision', () => true],
  ['approval', isObject],
  ['reason_code', (value) => typeof value === 'string' && /^[A-Z][A-Z0-9_]{0,63}$/.test(value)],
  // By this name the gate refuses what no policy was asked about.
  ['rule', (value) => isText(value) && value !== 'gate'],
  ['message', isText],
  ['risk_level', (value) => riskLevels.some((level) => level === value)],
])

const approvalForms = new Map<string, Form>([
  ['timeout_ms', isUpTo(approvalTimeoutMsMax)],
  ['wait_ms', isUpTo(approvalWaitMsMax)],
  ['quorum', isUpTo(approvalQuorumMax)],
  ['not_requester', (value) => typeof value === 'boolean'],
])

function troubleInApproval(approval: unknown): string | undefined {
  return troubleOf(approval as JsonObject, approvalForms)
}

function troubleOf(said: JsonObject, known: ReadonlyMap<string, Form>): string | undefined {
  for (const [key, value] of Object.entries(said)) {
    const form = known.get(key)
    if (!form) return 'it has a member that is not known'
    if (!form(value)) return `\`${key}\` is not what it must be`
  }
  return undefined
}

/** Held, or let through where exactly this was approved. */
function heldVerdict(policy: RegoPolicy, said: JsonObject, input: string): Verdict {
  const { approved } = JSON.parse(input) as { readonly approved?: unknown }
  const rule = ruleIn(policy, said)
  const hold = holdOfRego(policy, rule, said)
  if (Array.isArray(approved) && approved.includes(hold)) return { ...shared(policy, said), ...allowed }
  // Asked again as approved it would have to say the same, or who approves would not know what.
  if (approved !== undefined) return odd(policy, 'it holds the call for something else once that is approved')
  const { timeout_ms, wait_ms, quorum, not_requester } = (said['approval'] ?? {}) as Readonly<Record<string, number>>
  return {
    decision: 'hold',
    reason_code: textIn(said, 'reason_code') ?? ('APPROVAL_REQUIRED' satisfies ReasonCode),
    message: textIn(said, 'message') ?? 'a person has to approve this call',
    ...shared(policy, said),
    hold,
    ...(timeout_ms !== undefined && { approval_timeout_ms: timeout_ms }),
    ...(wait_ms !== undefined && { approval_wait_ms: wait_ms }),
    ...(quorum !== undefined && { approval_quorum: quorum }),
    ...(not_requester && { approval_not_requester: true }),
  }
}

const allowed = {
  decision: 'allow',
  reason_code: 'ALLOW' satisfies ReasonCode,
  message: 'the policy allows this call',
} as const

function verdictOf(policy: RegoPolicy, decision: 'allow' | 'deny', said: JsonObject): Verdict {
  const usual = decision === 'allow' ? allowed : denied(policy, 'REGO_DENIED', 'this call is not allowed')
  const [reason_code, message] = [textIn(said, 'reason_code'), textIn(said, 'message')]
  return {
    ...usual,
    ...shared(policy, said),
    ...(reason_code !== undefined && { reason_code }),
    ...(message !== undefined && { message }),
  }
}

function shared(policy: RegoPolicy, said: JsonObject): Pick<Verdict, 'rule' | 'risk_level'> {
  const { risk_level: risk } = said
  return { rule: ruleIn(policy, said), ...(risk !== undefined && { risk_level: risk as RiskLevel }) }
}

function ruleIn({ entrypoint }: RegoPolicy, said: JsonObject): string {
  return textIn(said, 'rule') ?? entrypoint
}

function textIn(said: JsonObject, key: string): string | undefined {
  return said[key] as string | undefined
}

function odd(policy: RegoPolicy, why: string): Verdict {
  return denied(policy, 'REGO_RESULT_ODD', `what the policy says of this call is no decision: ${why}`)
}

function denied({ entrypoint }: RegoPolicy, reason: ReasonCode, message: string): Verdict {
  return { decision: 'deny', reason_code: reason, rule: entrypoint, message }
}
