/** A recorded decision explained: its own policies are asked again by the reference evaluator, with its own input. */

import { type Body, objectIn, textIn } from '../log/body.ts'
import { differenceBetween } from '../log/proof.ts'
import type { Input, LayeredInput, Principal } from '../model/call.ts'
import { canonical, type Json } from '../model/canonical.ts'
import type { Verdict } from '../model/decision.ts'
import { combined, type LayersVerdict, layerInput, visibilityInSet } from '../model/layers.ts'
import { callBytesMax, inputBytesMax } from '../model/limits.ts'
import type { Method, Policy, PolicySet } from '../model/policy.ts'
import { type ReasonCode, reasons } from '../model/reasons.ts'
import { planFor } from '../model/strategy.ts'
import { targetOf } from '../model/target.ts'
import { type Beside, type Explanation, explain } from '../reference/explain.ts'

/** A policy that a record names, as it was kept. */
export interface KeptPolicy {
  /** Where there are layers. */
  readonly layer?: string
  readonly revision: string
  readonly policy: Policy
  /** Of a policy whose meaning is in its module alone. */
  readonly evaluate?: (input: string) => Verdict
}

export interface Explained {
  readonly decision_id?: string
  readonly time: string | null
  readonly method: string | null
  readonly server: string | null
  readonly name: string | null
  /** Do lists show it to the caller? Null where no policy was loaded, nothing is named, or the policy is Rego of others. */
  readonly visible: boolean | null
  /** As it was recorded. */
  readonly decision: Body
  /** The layer whose decision counts, where there are layers. */
  readonly decided_by?: string
  /** Of a call that is made up: the ledger that knows what was spent, approved and stopped before, or null where nothing was. */
  readonly known_from?: string | null
  /** Does the reference evaluator, or the module of Rego of others, say the same of the same input? */
  readonly agrees: boolean
  readonly difference?: string
  /** Where the gate refused by itself and asked no policy. */
  readonly gate?: { readonly meaning: string; readonly otherwise: string }
  readonly policies: readonly ExplainedPolicy[]
}

export interface ExplainedPolicy extends Explanation {
  readonly layer?: string
  readonly policy_id: string
  readonly policy_version: string
  readonly language: Policy['language']
  readonly strategy: Policy['strategy']
  readonly revision: string
}

export function explainRecord(body: Body, kept: readonly KeptPolicy[]): Explained {
  const { decision_id: _, revision: __, ...decision } = objectIn(body, 'result')
  const [method, server, name] = [textIn(body, 'method'), textIn(body, 'server'), textIn(body, 'name')]
  const about = { time: textIn(body, 'timestamp'), method, server, name, visible: visible(body, kept), decision }
  if (!Object.hasOwn(body, 'input')) return { ...about, agrees: true, gate: ofTheGate(body), policies: [] }
  const policies = kept.map((one) => explainedPolicy(one, body))
  const { verdict, decidedBy } = together(policies)
  const difference = differenceBetween(body, verdict)
  return {
    ...about,
    ...(decidedBy !== undefined && { decided_by: decidedBy }),
    agrees: difference === undefined,
    ...(difference !== undefined && { difference }),
    policies,
  }
}

function together(policies: readonly ExplainedPolicy[]): { verdict: Verdict | LayersVerdict; decidedBy?: string } {
  const [only] = policies
  if (only && only.layer === undefined) return { verdict: only.verdict }
  const verdict = combined(policies.map(({ layer = '', verdict }) => ({ name: layer, verdict })))
  return { verdict, ...(verdict.layer !== undefined && { decidedBy: verdict.layer }) }
}

function explainedPolicy({ layer, revision, policy, evaluate }: KeptPolicy, body: Body): ExplainedPolicy {
  const recorded = body['input'] as Input & LayeredInput
  const input = layer === undefined ? recorded : layerInput(recorded, layer, planFor(policy, targetOf(recorded)))
  const retryAfterMs = objectIn(body, 'result')['retry_after_ms']
  const beside: Beside = {
    ...(Object.hasOwn(body, 'arguments') && { arguments: body['arguments'] as Json }),
    // Of several layers it is the longest time, which is not that of each.
    ...(typeof retryAfterMs === 'number' && layer === undefined && { retryAfterMs }),
  }
  return {
    ...(layer !== undefined && { layer }),
    policy_id: policy.id,
    policy_version: policy.version,
    language: policy.language,
    strategy: policy.strategy,
    revision,
    ...(evaluate ? answered(policy, evaluate(canonical(input as unknown as Json))) : explain(policy, input, beside)),
  }
}

/** One step: the rule was asked, and nobody knows what it looked at. */
function answered({ id }: Policy, verdict: Verdict): Explanation {
  const asks = `what the module of the bundle says at \`${id}\`: the input of the record, asked of its Rego, shows why`
  const result = verdict.decision === 'allow' ? 'passed' : 'failed'
  return { verdict, steps: [{ rule: verdict.rule, asks, saw: [], result, decides: true }] }
}

function visible(body: Body, kept: readonly KeptPolicy[]): boolean | null {
  const [method, server, name] = [textIn(body, 'method'), textIn(body, 'server'), textIn(body, 'name')]
  const [first] = kept
  // What lists show is asked of such a policy itself, at the time of the list.
  if (
    !first ||
    kept.some(({ policy }) => policy.strategy === 'rego') ||
    name === null ||
    !['tools/call', 'resources/read', 'prompts/get'].includes(method ?? '')
  )
    return null
  const policy: PolicySet =
    first.layer === undefined
      ? first.policy
      : { layers: kept.map(({ layer = '', policy }) => ({ name: layer, policy })) }
  const principal = objectIn(body, 'principal') as Principal
  return visibilityInSet(policy, { method: method as Method, server: server ?? '', name })(principal)
}

function ofTheGate(body: Body): { readonly meaning: string; readonly otherwise: string } {
  const result = objectIn(body, 'result')
  const [code, kill] = [textIn(result, 'reason_code') ?? '', textIn(result, 'kill_id')]
  const meaning = Object.hasOwn(reasons, code) ? reasons[code as ReasonCode] : 'the gate refused it'
  if (kill !== null)
    return { meaning, otherwise: `\`tollgate kill lift ${kill}\`, if it may go on; then the policy is asked` }
  return { meaning, otherwise: advice[code] ?? 'read `docs/errors.md`' }
}

const advice: Readonly<Record<string, string>> = {
  MALFORMED_CALL: 'a message that every reader takes in the same way, without what the sentence above names',
  CALL_TOO_LARGE: `a call of at most ${callBytesMax} bytes, of which the policy reads at most ${inputBytesMax}`,
  UNKNOWN_METHOD: 'a method that the gate knows',
  RESOURCE_URI_UNSAFE: 'a URI that names one resource only',
  TOOL_CHANGED: 'a person who accepts what the tool says now: see `tollgate tools diff`',
  TOOL_NOT_PINNED: 'a list that shows the tool, and a person who accepts what it says: see `tollgate tools diff`',
  POLICY_UNAVAILABLE: 'a policy that loads: see the records before this one',
  ENGINE_FAILED: 'nothing in the call: the engine gave no decision',
  LEDGER_UNAVAILABLE: 'nothing in the call: the ledger could not be used',
  GATE_FAILED: 'nothing in the call: the gate itself failed',
} satisfies Partial<Record<ReasonCode, string>>
