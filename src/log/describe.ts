/**
 * The record of an event as JSON text: OPA's decision-log names (v1/plugins/logs `EventV1`) and ours beside them. The
 * text is hashed and kept as it is, so it is written once and never rebuilt.
 */
import { hash } from 'node:crypto'
import { canonical } from '../model/canonical.ts'
import type {
  ActivatedPolicy,
  ActivationName,
  DecisionEvent,
  GateEvent,
  LayersName,
  PolicyName,
} from '../model/event.ts'
import { runId } from '../model/kill.ts'
import { recordedArgumentsBytesMax } from '../model/limits.ts'
import { logLevelOf } from '../model/risk.ts'
import { instantText } from '../model/time.ts'
import { approvalMembers } from './describeApproval.ts'
import { killEventMembers } from './describeKill.ts'
import { pinEventMembers } from './describePin.ts'

/** What every record of one process says of it. */
export interface Labels {
  /** UUID of the process. */
  readonly id: string
  /** Version of Tollgate. */
  readonly version: string
}

/** How much of a call's own arguments is kept beside the projected input, which is always kept. */
export type ArgumentsKept = 'full' | 'digest' | 'none'

export function describeWith(labels: Labels, argumentsKept: ArgumentsKept): (event: GateEvent) => string {
  let count = 0
  return (event) => {
    const head = { type: event.kind, timestamp: instantText(event.at), labels, req_id: ++count }
    switch (event.kind) {
      case 'decision':
      case 'check':
        return decisionText(head, event, argumentsKept)
      case 'refusal': {
        const { server, method, name, session, principal, run_id } = event.about
        const about = { method, server, name, session_id: session, principal, run_id }
        return JSON.stringify({
          ...head,
          decision_id: event.decision.decision_id,
          ...bundles(event.policy),
          result: event.decision,
          ...about,
        })
      }
      case 'outcome':
        return JSON.stringify({ ...head, decision_id: event.decisionId, status: event.status, detail: event.detail })
      case 'hold':
      case 'grant':
      case 'reject':
      case 'expiry':
      case 'consumption':
        return JSON.stringify({ ...head, ...approvalMembers(event) })
      case 'kill':
      case 'lift':
        return JSON.stringify({ ...head, ...killEventMembers(event) })
      case 'pin':
      case 'drift':
        return JSON.stringify({ ...head, ...bundles(event.policy), ...pinEventMembers(event) })
      case 'accept':
        return JSON.stringify({ ...head, ...pinEventMembers(event) })
      case 'activation':
        return JSON.stringify({ ...head, ...bundles(event.policy), ...activated(event.policy) })
      case 'activation_failure': {
        const { sources, code, detail } = event
        return JSON.stringify({ ...head, ...bundles(event.policy), sources, error_code: code, detail })
      }
      case 'deactivation':
        return JSON.stringify({ ...head, ...bundles(event.policy), detail: event.detail })
      case 'start':
      case 'stop':
        return JSON.stringify({ ...head, server: event.server })
    }
    return event satisfies never
  }
}

function decisionText(head: object, event: DecisionEvent, argumentsKept: ArgumentsKept): string {
  const { call, decision, input } = event
  const text = JSON.stringify({
    ...head,
    decision_id: decision.decision_id,
    ...bundles(event.policy),
    path: 'tollgate/decision',
    result: decision,
    level: logLevelOf(decision.risk_level),
    method: call.method,
    asked_method: call.asked,
    server: call.server,
    name: call.name,
    session_id: call.session,
    principal: call.principal,
    run_id: runId(call.run),
    ...call.span,
    metrics: { timer_rego_query_eval_ns: event.evaluationNs },
  })
  const kept = `${argumentsMember(call.arguments, argumentsKept)}${paramsMember(call.params, argumentsKept)}`
  return `${text.slice(0, -1)}${kept}${inputMember(input)}}`
}

/** One entry for each layer, as OPA's decision log has one for each bundle. */
function bundles(policy: PolicyName | LayersName | undefined): object {
  if (!policy) return {}
  if ('layers' in policy) return layeredBundles(policy)
  return {
    policy_id: policy.id,
    policy_version: policy.version,
    bundles: { [policy.id]: { revision: policy.revision } },
  }
}

function layeredBundles({ layers, deciding }: LayersName): object {
  const first = layers.find(({ name }) => name === deciding)
  return {
    ...(first && { policy_id: first.id, policy_version: first.version }),
    bundles: Object.fromEntries(layers.map(({ name, revision }) => [name, { revision }])),
    layers: layers.map(({ name }) => name),
  }
}

function activated(policy: ActivationName): object {
  if (!('layers' in policy)) return files(policy)
  return { layers: policy.layers.map((layer) => ({ name: layer.name, ...policyMembers(layer), ...files(layer) })) }
}

function policyMembers({ id, version }: PolicyName): object {
  return { policy_id: id, policy_version: version }
}

function files({ sources, wasmDigest, bundle }: ActivatedPolicy): object {
  return { sources, wasm_sha256: wasmDigest, bundle }
}

function argumentsMember(args: DecisionEvent['call']['arguments'], kept: ArgumentsKept): string {
  if (kept === 'none') return ''
  const text = JSON.stringify(args)
  const whole = kept === 'full' && Buffer.byteLength(text) <= recordedArgumentsBytesMax
  return whole ? `,"arguments":${text}` : `,"arguments_sha256":"${hash('sha256', text)}"`
}

/** What went on beside the arguments, a state or the answers of a user, is not kept: what it was can be proved. */
function paramsMember(params: DecisionEvent['call']['params'], kept: ArgumentsKept): string {
  if (params === undefined || kept === 'none') return ''
  return `,"params_sha256":"${hash('sha256', canonical(params))}"`
}

/** The input goes in as the very bytes that were evaluated. */
function inputMember(input: string | undefined): string {
  return input === undefined ? '' : `,"input_sha256":"${hash('sha256', input)}","input":${input}`
}
