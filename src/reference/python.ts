/**
 * How Python compares what JSON can hold. `unclear` is where Python raises a `TypeError`: texts and numbers have no order
 * between them, and nothing is in a number.
 */
import type { Json } from '../model/canonical.ts'
import type { Comparison, TextPattern } from '../model/ordered.ts'
import { expressionOf } from './patterns.ts'
import type { Truth } from './truth.ts'

export function compared(by: Comparison, left: Json, right: Json): Truth {
  if (by === 'eq') return equal(left, right) ? 'yes' : 'no'
  const order = orderOf(left, right)
  if (order === undefined) return 'unclear'
  const answers = { gt: order > 0, lt: order < 0, gte: order >= 0, lte: order <= 0 }
  return answers[by] ? 'yes' : 'no'
}

/** `value in container`. */
export function contains(container: Json, value: Json): Truth {
  if (typeof container === 'string') {
    if (typeof value !== 'string') return 'unclear'
    return container.includes(value) ? 'yes' : 'no'
  }
  if (isList(container)) return container.some((item) => equal(item, value)) ? 'yes' : 'no'
  if (isMap(container)) {
    if (isList(value) || isMap(value)) return 'unclear'
    return typeof value === 'string' && Object.hasOwn(container, value) ? 'yes' : 'no'
  }
  return 'unclear'
}

export function matched({ ascii, wide }: TextPattern, text: string): Truth {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII begins with them
  const pattern = /^[\x00-\x7f]*$/.test(text) ? ascii : wide
  if (pattern === undefined) return 'unclear'
  return expressionOf(pattern).matcher(text).find() ? 'yes' : 'no'
}

/** `True` is 1 and `False` is 0, inside lists and maps too. */
function equal(left: Json, right: Json): boolean {
  if (isNumber(left) && isNumber(right)) return Number(left) === Number(right)
  if (isList(left) && isList(right))
    return left.length === right.length && left.every((item, index) => equal(item, right[index] as Json))
  if (isMap(left) && isMap(right)) {
    const keys = Object.keys(left)
    if (keys.length !== Object.keys(right).length) return false
    return keys.every((key) => Object.hasOwn(right, key) && equal(left[key] as Json, right[key] as Json))
  }
  return left === right
}

/** Below, at or above zero; undefined where there is no order. Lists differ where their first different items do. */
function orderOf(left: Json, right: Json): number | undefined {
  if (isNumber(left) && isNumber(right)) return Number(left) - Number(right)
  if (typeof left === 'string' && typeof right === 'string') return textOrder(left, right)
  if (!isList(left) || !isList(right)) return undefined
  const index = left.findIndex((item, at) => at >= right.length || !equal(item, right[at] as Json))
  if (index === -1 || index >= right.length) return left.length - right.length
  return orderOf(left[index] as Json, right[index] as Json)
}

/** By code points, where JavaScript goes by halves of surrogate pairs. */
function textOrder(left: string, right: string): number {
  const [a, b] = [[...left], [...right]]
  const index = a.findIndex((char, at) => char !== b[at])
  if (index === -1 || index >= b.length) return a.length - b.length
  return (a[index]?.codePointAt(0) as number) - (b[index]?.codePointAt(0) as number)
}

function isNumber(value: Json): value is number | boolean {
  return typeof value === 'number' || typeof value === 'boolean'
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value)
}

function isMap(value: Json): value is { readonly [key: string]: Json } {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}
