/**
 * What a record tells of the arguments of its call, and whether that is all that a policy reads of them. Where the arguments
 * themselves are not kept, the document that was judged has as much of them as the policy read that judged it.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Call, Input } from '../model/call.ts'
import type { Json } from '../model/canonical.ts'
import { amountsOf, project, valueAt } from '../model/input.ts'
import { microPerUnit } from '../model/limits.ts'
import type { Plan } from '../model/plan.ts'
import { type Path, pathText } from '../model/policy.ts'
import { pythonText } from '../model/pythonText.ts'
import type { Names, Shape } from '../model/shape.ts'
import { wordsIn } from '../model/words.ts'
import type { RecordedCall } from './event.ts'

/** Why nobody can tell what a policy says of a call. */
export interface Lack {
  readonly cause: 'arguments' | 'masked' | 'run' | 'counters' | 'session' | 'approval' | 'pinning'
  /** What is read and not known, where that has a name. */
  readonly needs?: readonly string[]
}

/** The call as far as the plan reads it. `then` is the plan of the policy that judged it, where that is known. */
export function knownCall(recorded: RecordedCall, plan: Plan, then: Plan | undefined): Call | Lack {
  const masked = hiddenNeeds(recorded, plan)
  if (masked.length > 0) return { cause: 'masked', needs: masked }
  if (recorded.arguments.kept === 'whole' || readsNothing(plan)) return recorded.call
  const needs = neededPaths(plan)
  const call = recorded.input && fromInput(recorded, recorded.input, plan, then)
  return call ?? { cause: 'arguments', ...(needs.length > 0 && { needs }) }
}

/** Every member is named, so that the compiler finds one that a plan may gain later. */
function readsNothing({ names, amounts, texts, words, run, shape }: Plan): boolean {
  const nothing: { readonly [Member in keyof Required<Plan>]: boolean } = {
    shape: shape.fields.size === 0 && !shape.whole,
    names: names.fields.size === 0 && !names.elements,
    amounts: amounts.length === 0,
    texts: !texts,
    words: !words,
    run: !run,
    // What they are split by is among the names.
    counters: true,
    layers: true,
  }
  return Object.values(nothing).every(Boolean)
}

/** The arguments that are known by name. */
function neededPaths({ names, words, shape }: Plan): readonly string[] {
  return [...pathsIn(names, []).map(pathText), ...(words || shape.whole ? ['every argument'] : [])]
}

function pathsIn({ fields, elements }: Names, before: Path): readonly Path[] {
  if (fields.size === 0 && !elements) return before.length === 0 ? [] : [before]
  return [
    ...[...fields].flatMap(([key, below]) => pathsIn(below, [...before, key])),
    ...(elements ? pathsIn(elements, before) : []),
  ]
}

const identity: readonly string[] = ['principal', 'session', 'server', 'tool', 'resource', 'prompt', 'method', 'time']

function hiddenNeeds({ hidden }: RecordedCall, plan: Plan): readonly string[] {
  return hidden.filter((path) => isRead(path, plan)).map(pathText)
}

function isRead([root, ...path]: Path, plan: Plan): boolean {
  if (root === undefined || identity.includes(root)) return true
  if (root === 'run') return plan.run !== undefined
  if (root === 'texts' || root === 'words') return plan[root] !== undefined
  if (root === 'amounts') return plan.amounts.some(({ text }) => path.length === 0 || text === path[0])
  if (root !== 'arguments' || readsNothing(plan)) return false
  return (
    plan.shape.whole ||
    plan.words !== undefined ||
    (plan.texts?.includes(path[0] ?? '') ?? false) ||
    touches(plan.names, plan.shape, path)
  )
}

/** Does the path lead to something that is read, or into it, or to what it lies in? */
function touches(names: Names, shape: Shape | undefined, [key, ...rest]: Path): boolean {
  if (key === undefined || shape?.closed !== undefined) return true
  if (names.fields.size === 0 && !names.elements) return true
  const below = names.fields.get(key)
  if (below) return touches(below, shape?.fields.get(key), rest)
  return names.elements !== undefined && /^\d+$/.test(key) && touches(names.elements, shape?.elements, rest)
}

/** A call of which the plan reads what was read of the recorded one, where the document has all of that. */
function fromInput(recorded: RecordedCall, input: Input, plan: Plan, then: Plan | undefined): Call | undefined {
  const has = then ? coveredBy(then, plan) : isThere(input, plan)
  const call = has ? { ...recorded.call, arguments: argumentsFrom(input, plan) } : undefined
  return call && (then ? gives(call, input, then) : givesAmounts(call, input, plan)) ? call : undefined
}

/** Everything that one plan reads, the other one read. Every member is named, here too. */
function coveredBy(then: Plan, plan: Plan): boolean {
  if (then.shape.whole) return true
  const read = new Set(then.amounts.map(({ text }) => text))
  const covered: { readonly [Member in keyof Required<Plan>]: boolean } = {
    shape: covers(then.shape, plan.shape),
    names: coversNames(then.names, plan.names),
    amounts: plan.amounts.every(({ text }) => read.has(text)),
    counters: splitPaths(plan).every((path) => isReadAt(then.shape, path)),
    texts: (plan.texts ?? []).every((name) => then.texts?.includes(name)),
    words: [...(plan.words ?? [])].every((word) => then.words?.has(word)),
    // What was known of the run is looked up by itself (`runs.ts`).
    run: true,
    layers: true,
  }
  return Object.values(covered).every(Boolean)
}

function covers(then: Shape, now: Shape): boolean {
  if (now.whole) return false
  if ((now.read && !then.read) || (now.closed !== undefined && then.closed === undefined)) return false
  if (now.elements && !(then.elements && covers(then.elements, now.elements))) return false
  return [...now.fields].every(([key, below]) => {
    const known = then.fields.get(key)
    return known !== undefined && covers(known, below)
  })
}

function coversNames(then: Names, now: Names): boolean {
  if (now.elements && !(then.elements && coversNames(then.elements, now.elements))) return false
  return [...now.fields].every(([key, below]) => {
    const known = then.fields.get(key)
    return known !== undefined && coversNames(known, below)
  })
}

/** Arguments that counters are split by. */
function splitPaths({ counters }: Plan): readonly Path[] {
  return counters.flatMap(({ counter: { per, measure } }) => [
    ...per.flatMap((field) => (field.kind === 'argument' ? [field.path] : [])),
    ...(measure !== 'calls' && 'amount' in measure && measure.currency ? [measure.currency] : []),
  ])
}

function isReadAt(shape: Shape, path: Path): boolean {
  let place: Shape | undefined = shape
  for (const key of path) place = place?.fields.get(key)
  return place?.read === true
}

/** Without the policy that judged it: what is there and says something was read, what is missing may not have been. */
function isThere({ arguments: args, amounts }: Input, { shape, names, texts, words }: Plan): boolean {
  if (texts || words || shape.whole || hasElements(shape)) return false
  return pathsIn(names, []).every((path) => isScalar(valueAt(args, path)) || Object.hasOwn(amounts, pathText(path)))
}

function hasElements({ elements, fields }: Shape): boolean {
  return elements !== undefined || [...fields.values()].some(hasElements)
}

function isScalar(value: Json | undefined): boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
}

function argumentsFrom(input: Input, plan: Plan): Call['arguments'] {
  let args = input.arguments as Call['arguments']
  for (const { path, text } of plan.amounts) {
    const micro = input.amounts[text]
    if (micro !== undefined && valueAt(args, path) === undefined) args = withValue(args, path, micro / microPerUnit)
  }
  for (const [name, text] of Object.entries(input.texts ?? {}))
    if (!Object.hasOwn(args, name)) args = withValue(args, [name], text)
  const words = Object.keys(input.words ?? {})
  return words.length === 0 ? args : withValue(args, [freeKey(args)], words.join(' '))
}

function withValue(root: Call['arguments'], [key = '', ...below]: Path, value: Json): Call['arguments'] {
  const found = Object.hasOwn(root, key) ? root[key] : undefined
  const inner = typeof found === 'object' && found !== null && !Array.isArray(found) ? found : {}
  const member: Json = below.length === 0 ? value : withValue(inner as Call['arguments'], below, value)
  return Object.fromEntries([...Object.entries(root), [key, member]])
}

function freeKey(args: Call['arguments']): string {
  let key = '_'
  while (Object.hasOwn(args, key)) key += '_'
  return key
}

/** Is it the very document that was judged? */
function gives(call: Call, input: Input, then: Plan): boolean {
  const texts = Object.entries(input.texts ?? {})
  return (
    isDeepStrictEqual(project(call.arguments, then.shape), input.arguments) &&
    isDeepStrictEqual({ ...amountsOf(call, then) }, { ...input.amounts }) &&
    texts.every(([name, text]) => pythonText(call.arguments[name] ?? null) === text) &&
    (!then.words || isDeepStrictEqual(wordsIn(call, then.words), Object.keys(input.words ?? {}).sort()))
  )
}

function givesAmounts(call: Call, input: Input, plan: Plan): boolean {
  const amounts = amountsOf(call, plan)
  return plan.amounts.every(({ text }) => Object.hasOwn(amounts, text) && amounts[text] === input.amounts[text])
}
