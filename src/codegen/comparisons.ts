/**
 * Python's comparisons as Rego. Rego orders across types and takes `true` and 1 for different, so each comparison proves
 * the type first; what Python has no answer to is proved neither way (`src/reference/python.ts` says the same).
 */
import type { Json } from '../model/canonical.ts'
import type { Comparison } from '../model/ordered.ts'
import { ref, term } from './quote.ts'
import type { Rules } from './rules.ts'

/** A conjunction of Rego expressions; several of them are alternatives. */
export type Body = readonly string[]

type Order = Exclude<Comparison, 'eq'>

const opposite: Readonly<Record<Order, Order>> = { gt: 'lte', lte: 'gt', lt: 'gte', gte: 'lt' }
const sign: Readonly<Record<Order, string>> = { gt: '>', lte: '<=', lt: '<', gte: '>=' }

/** Alternatives that prove that the value is so ordered to another, and those that prove that it is not. */
export function ordered(
  subject: string,
  by: Order,
  value: Json,
  rules: Rules,
): { holds: readonly Body[]; fails: readonly Body[] } {
  return { holds: orderProofs(subject, by, value, rules), fails: orderProofs(subject, opposite[by], value, rules) }
}

function orderProofs(subject: string, by: Order, value: Json, rules: Rules): readonly Body[] {
  if (typeof value === 'number' || typeof value === 'boolean') return numberOrder(subject, by, Number(value))
  if (typeof value === 'string') return [[`is_string(${subject})`, `${subject} ${sign[by]} ${term(value)}`]]
  return Array.isArray(value) ? listOrder(subject, by, value, rules) : []
}

function numberOrder(subject: string, by: Order, value: number): readonly Body[] {
  const holds = {
    gt: (n: number) => n > value,
    lt: (n: number) => n < value,
    gte: (n: number) => n >= value,
    lte: (n: number) => n <= value,
  }
  const flags = [false, true].filter((flag) => holds[by](Number(flag)))
  return [
    [`is_number(${subject})`, `${subject} ${sign[by]} ${term(value)}`],
    ...(flags.length === 0 ? [] : [[`${subject} in {${flags.join(', ')}}`]]),
  ]
}

/** The first items that differ decide; where none does, the longer list is the greater. */
function listOrder(subject: string, by: Order, value: readonly Json[], rules: Rules): readonly Body[] {
  const list = `is_array(${subject})`
  const same = (upTo: number) => value.slice(0, upTo).flatMap((item, index) => equality(`${subject}[${index}]`, item))
  const differing = value.flatMap((item, index) => {
    const unequal = rules.add([], [equality(`${subject}[${index}]`, item)])
    return orderProofs(`${subject}[${index}]`, by, item, rules).map((body) => [
      list,
      `count(${subject}) > ${index}`,
      ...same(index),
      `not ${unequal}`,
      ...body,
    ])
  })
  const shorter = value.slice(1).map((_, index) => [list, `count(${subject}) == ${index + 1}`, ...same(index + 1)])
  const prefixes = value.length === 0 ? [] : [[list, `count(${subject}) == 0`], ...shorter]
  const whole = [
    list,
    `count(${subject}) ${by === 'gt' || by === 'gte' ? '>=' : '=='} ${value.length}`,
    ...same(value.length),
  ]
  const longer = [list, `count(${subject}) > ${value.length}`, ...same(value.length)]
  if (by === 'gt') return [...differing, longer]
  if (by === 'gte') return [...differing, whole]
  return by === 'lt' ? [...differing, ...prefixes] : [...differing, ...prefixes, whole]
}

/** Expressions that together say that it equals the value. */
export function equality(subject: string, value: Json): Body {
  if (value === null) return [`is_null(${subject})`]
  if (typeof value === 'string') return [`${subject} == ${term(value)}`]
  if (typeof value === 'number' || typeof value === 'boolean') {
    const same: readonly (number | boolean)[] =
      Number(value) === 1 ? [1, true] : Number(value) === 0 ? [0, false] : [value]
    return [same.length === 1 ? `${subject} == ${term(value)}` : `${subject} in {${same.join(', ')}}`]
  }
  const size = `count(${subject}) == ${Object.keys(value).length}`
  if (Array.isArray(value))
    return [
      `is_array(${subject})`,
      size,
      ...value.flatMap((item, index) => equality(`${subject}[${index}]`, item as Json)),
    ]
  const members = Object.entries(value).flatMap(([key, member]) => equality(ref(subject, [key]), member as Json))
  return [`is_object(${subject})`, size, ...members]
}

/** The same for `value in subject`. */
export function containment(
  subject: string,
  value: Json,
  rules: Rules,
): { holds: readonly Body[]; fails: readonly Body[] } {
  const some = rules.add([], [[`some item in ${subject}`, ...equality('item', value)]])
  const list = `is_array(${subject})`
  const composite = value !== null && typeof value === 'object'
  if (typeof value !== 'string')
    return { holds: [[list, some]], fails: [[list, `not ${some}`], ...(composite ? [] : [[`is_object(${subject})`]])] }
  const key = `data.tollgate.lib.has(${subject}, ${term(value)})`
  const part = `contains(${subject}, ${term(value)})`
  return {
    holds: [
      [`is_string(${subject})`, part],
      [list, some],
      [`is_object(${subject})`, key],
    ],
    fails: [
      [`is_string(${subject})`, `not ${part}`],
      [list, `not ${some}`],
      [`is_object(${subject})`, `not ${key}`],
    ],
  }
}
