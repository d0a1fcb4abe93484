/**
 * Conditions as Rego. A requirement asks for the proof that its condition holds, a deny or hold rule for the proof that
 * it fails; what can be neither proved nor disproved is never a yes (`src/reference/truth.ts` says the same in plain
 * TypeScript). Rego orders across types, so every comparison proves the type first.
 */
import type { Condition, JsonType, Path, Reading, Scalar, Test } from '../model/policy.ts'
import { outside } from '../model/spans.ts'
import { ref, term } from './quote.ts'
import type { Rules } from './rules.ts'

/** A conjunction of Rego expressions; several of them are alternatives. */
type Body = readonly string[]

/** A person approved what is held: the gate says so in the input. */
export function approvedBody(hold: string): string {
  return `${term(hold)} in input.approved`
}

export type Wanted = 'holds' | 'fails'

/** Alternatives that prove the condition to hold, or to fail; what they stand on is added to `rules`. */
export function proofs(condition: Condition, wanted: Wanted, rules: Rules): readonly Body[] {
  return provedBy(condition, 'input.arguments', wanted, rules)
}

function provedBy(condition: Condition, root: string, wanted: Wanted, rules: Rules): readonly Body[] {
  const { path, test } = condition
  if (test.kind === 'exists') return existsProved(ref(root, path), test.there === (wanted === 'holds'), root, rules)
  if (test.kind === 'absent' || test.kind === 'present') {
    const there: Body = [`value := ${ref(root, path)}`, 'not is_null(value)']
    return (test.kind === 'present') === (wanted === 'holds') ? [there] : missing(root, path)
  }
  const judged = testProved(test, wanted, rules).map((body): Body => [`value := ${ref(root, path)}`, ...body])
  return condition.optional ? [...missing(root, path), ...judged] : judged
}

/** Its contrary is that it cannot be proved: a name for the proof, to be negated. */
function existsProved(value: string, there: boolean, root: string, rules: Rules): readonly Body[] {
  const proof: Body = [`value := ${value}`, 'not is_null(value)']
  if (there) return [proof]
  const name = root === 'element' ? `${rules.add(['element'], [proof])}(element)` : rules.add([], [proof])
  return [[`not ${name}`]]
}

/** Some object on the way lacks the key. An element itself is never missing. */
function missing(root: string, path: Path): readonly Body[] {
  return path.map((key, depth) => {
    const parent = ref(root, path.slice(0, depth))
    return [`is_object(${parent})`, `not data.tollgate.lib.has(${parent}, ${term(key)})`]
  })
}

function testProved(
  test: Exclude<Test, { kind: 'present' | 'absent' | 'exists' }>,
  wanted: Wanted,
  rules: Rules,
): readonly Body[] {
  const holds = wanted === 'holds'
  switch (test.kind) {
    case 'type':
      return holds ? test.types.map((type) => [isType(type)]) : [test.types.map((type) => `not ${isType(type)}`)]
    case 'enum':
      return holds ? [[`value in ${set(test.values)}`]] : notInEnum(test.values)
    case 'range':
      return bounds(['is_number(value)'], 'value', test, holds)
    case 'length':
      return bounds(['size := data.tollgate.lib.size(value)'], 'size', test, holds)
    case 'prefix':
      return [['is_string(value)', `startswith(value, ${term(test.prefix)}) == ${holds}`]]
    case 'pattern':
      return [['is_string(value)', `regex.match(${term(`\\A(?:${test.pattern})\\z`)}, value) == ${holds}`]]
    case 'search':
      return [['is_string(value)', `regex.match(${term(test.pattern)}, value) == ${holds}`]]
    case 'one_of':
      return [[...printed(test.values), `${test.negated === holds ? 'not ' : ''}value in ${set(test.values)}`]]
    case 'contains':
      return containing(test, holds, rules)
    case 'each':
    case 'any':
      return [['is_array(value)', elements(test.conditions, (test.kind === 'each') === holds, holds, rules)]]
  }
  return test satisfies never
}

function elements(conditions: readonly Condition[], every: boolean, holds: boolean, rules: Rules): string {
  const proved = rules.add(
    ['element'],
    holds ? [allHold(conditions, rules)] : conditions.flatMap((c) => fails(c, rules)),
  )
  return every ? `every item in value { ${proved}(item) }` : `some item in value; ${proved}(item)`
}

function fails(condition: Condition, rules: Rules): readonly Body[] {
  return provedBy(condition, 'element', 'fails', rules)
}

/** One condition stands in place; several get a function each, as each has alternatives and variables of its own. */
function allHold(conditions: readonly Condition[], rules: Rules): Body {
  const alternatives = conditions.map((condition) => provedBy(condition, 'element', 'holds', rules))
  const [only] = alternatives
  if (alternatives.length === 1 && only?.length === 1) return only[0] as Body
  return alternatives.map((bodies) => `${rules.add(['element'], bodies)}(element)`)
}

/** Not one of the values, though of the type of one: a number where strings are listed proves nothing. */
function notInEnum(values: readonly Scalar[]): readonly Body[] {
  const types = [...new Set(values.map(scalarType))]
  return types.map((type) => [isType(type), `not value in ${set(values)}`])
}

/** What of another type could print as one of the values proves nothing. */
function printed(values: readonly Scalar[]): Body {
  const texts = values.filter((value) => typeof value === 'string' && value.endsWith(']')) as string[]
  return [
    ...(texts.some((text) => text.startsWith('[')) ? ['not is_array(value)'] : []),
    ...(texts.some((text) => text.startsWith('map[')) ? ['not is_object(value)'] : []),
  ]
}

function containing(
  { text, values }: Extract<Test, { kind: 'contains' }>,
  holds: boolean,
  rules: Rules,
): readonly Body[] {
  const bodies: Body[] = [
    ...(text === undefined ? [] : [['is_string(value)', `contains(value, ${term(text)})`]]),
    ['is_array(value)', 'some item in value', `item in ${set(values)}`],
  ]
  return holds ? bodies : [[`not ${rules.add(['value'], bodies)}(value)`]]
}

interface Bounds {
  readonly min?: number
  readonly max?: number
  readonly above?: number
  readonly below?: number
}

/** A bound, how it is written, and how what lies outside of it is. */
const bounding = [
  ['min', '>=', '<'],
  ['above', '>', '<='],
  ['max', '<=', '>'],
  ['below', '<', '>='],
] as const

function bounds(proof: Body, name: string, test: Bounds, holds: boolean): readonly Body[] {
  const compared = bounding.flatMap(([key, inside, outside]) => {
    const bound = test[key]
    return bound === undefined ? [] : [`${name} ${holds ? inside : outside} ${term(bound)}`]
  })
  return holds ? [[...proof, ...compared]] : compared.map((outside) => [...proof, outside])
}

/** Alternatives that prove what a counter stands at to lie in one of the spans, or in none. */
export function readingProofs({ counter, spans }: Reading, wanted: Wanted): readonly Body[] {
  const used = [`used := ${ref('input.facts', [counter.id])}`, 'is_number(used)']
  if (wanted === 'holds') return spans.flatMap((span) => bounds(used, 'used', span, true))
  return outside(spans).flatMap((span) => bounds(used, 'used', span, true))
}

function set(values: readonly Scalar[]): string {
  return `{${values.map((value) => term(value)).join(', ')}}`
}

function scalarType(value: Scalar): JsonType {
  return value === null ? 'null' : (typeof value as 'string' | 'number' | 'boolean')
}

function isType(type: JsonType): string {
  return type === 'integer' ? 'data.tollgate.lib.is_integer(value)' : `is_${type}(value)`
}
