/**
 * A decision of OPA's own decision log (v1/plugins/logs `EventV1`) as a call. Its `input` is whatever somebody asked OPA
 * with: `docs/replay.md` has the shapes that name a call.
 */
import type { Body } from '../log/body.ts'
import { objectIn, textIn } from '../log/body.ts'
import type { Call, Input, Principal } from '../model/call.ts'
import type { Json } from '../model/canonical.ts'
import type { Decision } from '../model/decision.ts'
import { isObject } from '../model/message/json.ts'
import { judgedMethods, type Method, type Path } from '../model/policy.ts'
import { principalOf } from '../model/principal.ts'
import { instantOf } from '../model/time.ts'
import type { Decided, RecordedEvent } from './event.ts'
import { hiddenIn } from './hidden.ts'

export function isOpaEvent(event: Body): boolean {
  return typeof event['decision_id'] === 'string' && typeof event['timestamp'] === 'string'
}

/** Throws an `Error` that says what is wrong. */
export function opaEvent(event: Body, place: number): RecordedEvent {
  const at = instantOf(textIn(event, 'timestamp') ?? '')
  if (at === undefined) throw new Error('its `timestamp` is no RFC 3339 time')
  const input = event['input']
  const named = isObject(input as Json) ? callIn(input as Body) : undefined
  // OPA is asked about much else than calls.
  if (!named) return { kind: 'message', at }
  const own = (input as Body)['v'] === 1 && (input as Body)['facts'] !== undefined
  return {
    kind: 'call',
    at,
    decisionId: textIn(event, 'decision_id') ?? '',
    place,
    isCheck: false,
    // The document of a policy has as much of the arguments as that policy read.
    call: own ? { ...named, arguments: {} } : named,
    arguments: own ? { kept: 'none' } : { kept: 'whole', value: named.arguments },
    ...(own && { input: input as unknown as Input }),
    decided: decidedIn(event),
    hidden: hiddenIn(event).map(asOfDocument),
  }
}

const names: Readonly<Record<Method, string>> = {
  'tools/call': 'tool',
  'resources/read': 'resource',
  'prompts/get': 'prompt',
}

/** Members of the input itself, or those of a JSON-RPC request. */
function callIn(input: Body): Call | undefined {
  const params = objectIn(input, 'params')
  const request = judgedMethods.find((method) => method === input['method'] && Object.hasOwn(input, 'params'))
  const method = request ?? judgedMethods.find((one) => textIn(input, names[one]) !== null)
  if (!method) return undefined
  const name = request ? textIn(params, request === 'resources/read' ? 'uri' : 'name') : textIn(input, names[method])
  if (name === null) return undefined
  return {
    method,
    server: textIn(input, 'server') ?? '',
    name,
    arguments: objectIn(request ? params : input, 'arguments') as Call['arguments'],
    principal: principalIn(input),
    session: textIn(input, 'session') ?? textIn(input, 'session_id') ?? '',
  }
}

const principalNames = ['agent', 'user', 'project'] as const

function principalIn(input: Body): Principal {
  const said = isObject(input['principal'] as Json) ? objectIn(input, 'principal') : input
  const texts = principalNames.flatMap((key) => (typeof said[key] === 'string' ? [[key, said[key]] as const] : []))
  const { groups, claims } = said
  return principalOf({
    ...Object.fromEntries(texts),
    ...(Array.isArray(groups) && { groups: groups.filter((group) => typeof group === 'string') }),
    ...(isObject(claims as Json) && { claims: claims as { readonly [claim: string]: Json } }),
  })
}

/** Where the same stands in our own document. */
function asOfDocument([root = '', ...rest]: Path): Path {
  if (root === 'params') return rest[0] === 'arguments' ? rest : rest.length === 0 ? [] : ['tool']
  if (root === 'session_id') return ['session']
  return [...principalNames, 'groups', 'claims'].includes(root)
    ? ['principal', root, ...rest]
    : root === ''
      ? []
      : [root, ...rest]
}

/** Without a rule of ours there is none to be compared. Throws an `Error` when it says neither yes nor no. */
function decidedIn(event: Body): Decided {
  const { result, erased, masked } = event
  if ([erased, masked].some((paths) => Array.isArray(paths) && paths.some(isWhatWasDecided)))
    throw new Error('its `result` was erased or masked: nobody knows what was decided')
  if (isObject(result as Json)) {
    const { decision: word, variant, reason_code, rule, message } = result as Body
    // As Rego of others says it (`docs/rego.md`).
    const decision = word === 'require_approval' ? 'hold' : word
    if (decision !== undefined && !isDecision(decision)) throw new Error('its `result` has a `decision` that is none')
    if (decision !== undefined)
      return {
        decision,
        ...(typeof variant === 'string' && { variant: variant as NonNullable<Decided['variant']> }),
        reason_code: typeof reason_code === 'string' ? reason_code : '',
        rule: typeof rule === 'string' ? rule : '',
        ...(typeof message === 'string' && { message }),
      }
  }
  const says = isObject(result as Json) ? ((result as Body)['allow'] ?? (result as Body)['allowed']) : result
  if (says !== undefined && typeof says !== 'boolean' && !isDecision(says))
    throw new Error('its `result` says neither yes nor no')
  const decision = typeof says === 'string' ? (says as Decision['decision']) : says === true ? 'allow' : 'deny'
  return { decision, reason_code: '', rule: '' }
}

function isWhatWasDecided(path: unknown): boolean {
  return typeof path === 'string' && /^\/result(\/(decision|allow|allowed))?$/.test(path)
}

function isDecision(value: unknown): value is Decision['decision'] {
  return value === 'allow' || value === 'deny' || value === 'hold' || value === 'kill'
}
