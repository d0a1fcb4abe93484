/** From a call to the input document: projection of the arguments, and amounts as whole micro-units. */
import type { Approved, Call, Input, LayeredApproved } from './call.ts'
import type { Json } from './canonical.ts'
import { microOf } from './decimal.ts'
import { foldedKey } from './message/folding.ts'
import type { RunFacts } from './pack/run.ts'
import type { Plan } from './plan.ts'
import type { Path } from './policy.ts'
import { pythonText } from './pythonText.ts'
import type { Names, Shape } from './shape.ts'
import { instantText } from './time.ts'
import { wordsIn } from './words.ts'

/** Its members stand in the order of canonical JSON, which is then quickly made. */
export function inputOf<F>(
  call: Call,
  plan: Plan,
  facts: F,
  amounts: Input['amounts'],
  at: number,
  approved?: Approved | LayeredApproved,
): Input<F> {
  const { method, name } = call
  const run = plan.run?.(call) as RunFacts | undefined
  return {
    amounts,
    ...(approved && { approved: approved as Approved }),
    arguments: project(call.arguments, plan.shape),
    facts,
    method,
    principal: call.principal,
    ...(method === 'prompts/get' && { prompt: name }),
    ...(method === 'resources/read' && { resource: name }),
    ...(run && { run }),
    server: call.server,
    session: call.session,
    ...(plan.texts && { texts: textsOf(call, plan.texts) }),
    time: instantText(at),
    ...(method === 'tools/call' && { tool: name }),
    v: 1,
    ...(plan.words && { words: Object.fromEntries(wordsIn(call, plan.words).map((word) => [word, true])) }),
  }
}

/** Arguments as text, in the order of canonical JSON; one that is missing or null has none. */
function textsOf(call: Call, names: readonly string[]): Record<string, string> {
  const texts = names.flatMap((name): [string, string][] => {
    const value = valueAt(call.arguments, [name])
    return value === undefined || value === null ? [] : [[name, pythonText(value)]]
  })
  return Object.fromEntries(texts)
}

/** The amounts of a call that can be counted; one that cannot is left out, which no rule takes for a yes. */
export function amountsOf(call: Call, plan: Plan): Input['amounts'] {
  const amounts = plan.amounts.flatMap(({ path, text }): [string, number][] => {
    const micro = microOf(valueAt(call.arguments, path))
    return micro === undefined ? [] : [[text, micro]]
  })
  // `fromEntries` defines own members, so that an amount called `__proto__` is one.
  return Object.fromEntries(amounts)
}

/**
 * The value as far as the policy reads it. Keys that an agent chose are never copied: an object keeps the members the
 * policy names, an array that is not looked into keeps its length.
 */
export function project(value: Json, shape: Shape): Json {
  if (shape.whole) return value
  if (Array.isArray(value)) return projectArray(value, shape)
  if (value === null || typeof value !== 'object') return shape.read ? value : null
  const kept: [string, Json][] = []
  for (const [key, below] of shape.fields) {
    if (Object.hasOwn(value, key)) kept.push([key, project((value as Record<string, Json>)[key] as Json, below)])
  }
  const { closed } = shape
  if (closed !== undefined && Object.keys(value).some((key) => !shape.fields.has(key))) kept.push([closed, null])
  // `fromEntries` defines own members, so that an argument called `__proto__` stays one.
  return Object.fromEntries(kept)
}

function projectArray(value: readonly Json[], shape: Shape): Json {
  const { elements } = shape
  if (!shape.read) return []
  return elements ? value.map((item) => project(item, elements)) : value.map(() => null)
}

/**
 * A member whose name differs from one that the policy reads by letter case alone: for the policy it is not there, for
 * many a server it is the one that is read (Go's `encoding/json` matches so).
 */
export function oddSpelling(value: Json, names: Names): string | undefined {
  if (value === null || typeof value !== 'object') return undefined
  if (Array.isArray(value)) return names.elements && oddElement(value, names.elements)
  if (names.folded.size === 0) return undefined
  for (const key of Object.keys(value)) {
    const below = names.fields.get(key)
    const odd = below ? oddSpelling((value as Record<string, Json>)[key] as Json, below) : namedOtherwise(key, names)
    if (odd !== undefined) return odd
  }
  return undefined
}

function oddElement(items: readonly Json[], names: Names): string | undefined {
  for (const item of items) {
    const odd = oddSpelling(item, names)
    if (odd !== undefined) return odd
  }
  return undefined
}

function namedOtherwise(key: string, { folded }: Names): string | undefined {
  return folded.has(foldedKey(key, false)) ? key : undefined
}

/** The value at a path through own members of objects; undefined where there is none. */
export function valueAt(root: Json, path: Path): Json | undefined {
  let value: Json | undefined = root
  for (const key of path) {
    if (value === null || typeof value !== 'object' || Array.isArray(value) || !Object.hasOwn(value, key))
      return undefined
    value = (value as Record<string, Json>)[key]
  }
  return value
}
