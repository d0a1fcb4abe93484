/**
 * What must hold of a call for a policy to decide it in one way: a formula over variables, each of which has finitely many
 * classes of values. Nothing is negated in it: `not` turns it round.
 */
import type { Span } from '../model/policy.ts'
import { outside } from '../model/spans.ts'

/** Something of a call that may be of this class or that. */
export interface Variable<Class = unknown> {
  readonly name: string
  readonly classes: readonly Class[]
}

/** Classes of a variable, as bits. */
export type Mask = bigint

export type Formula =
  | { readonly kind: 'yes' }
  | { readonly kind: 'no' }
  | { readonly kind: 'in'; readonly variable: Variable; readonly mask: Mask }
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Formula[] }
  /** Of elements of an array, over variables of their own. `every` holds of what is no array, `some` does not. */
  | { readonly kind: 'some' | 'every'; readonly array: Variable; readonly of: Formula }
  /** What a counter stands at, with what the call adds, lies in one of the spans. */
  | { readonly kind: 'count'; readonly count: Count; readonly spans: readonly Span[] }

/** A counter as it is before the call. */
export interface Counted {
  readonly key: string
  /** It counts up by this number alone. */
  readonly step: number
}

export interface Count {
  readonly counted: Counted
  /** Micro-units of the amount of the call, or a number. */
  readonly adds: Variable | number
}

export const yes: Formula = { kind: 'yes' }
export const no: Formula = { kind: 'no' }

export function fullMask({ classes }: Variable): Mask {
  return (1n << BigInt(classes.length)) - 1n
}

export function isIn(variable: Variable, mask: Mask): Formula {
  if (mask === 0n) return no
  return mask === fullMask(variable) ? yes : { kind: 'in', variable, mask }
}

/** Of those classes of which it holds. */
export function where<Class>(variable: Variable<Class>, holds: (one: Class) => boolean): Formula {
  return isIn(variable, maskOf(variable, holds))
}

export function maskOf<Class>({ classes }: Variable<Class>, holds: (one: Class) => boolean): Mask {
  return classes.reduce((mask, one, index) => (holds(one) ? mask | (1n << BigInt(index)) : mask), 0n)
}

export function and(...parts: readonly Formula[]): Formula {
  return joined('and', yes, no, parts)
}

export function or(...parts: readonly Formula[]): Formula {
  return joined('or', no, yes, parts)
}

function joined(kind: 'and' | 'or', neutral: Formula, absorbing: Formula, parts: readonly Formula[]): Formula {
  const flat = parts.flatMap((part) => (part.kind === kind ? part.parts : [part]))
  if (flat.some((part) => part.kind === absorbing.kind)) return absorbing
  const kept = flat.filter((part) => part.kind !== neutral.kind)
  if (kept.length === 0) return neutral
  return kept.length === 1 ? (kept[0] as Formula) : { kind, parts: kept }
}

export function not(formula: Formula): Formula {
  switch (formula.kind) {
    case 'yes':
      return no
    case 'no':
      return yes
    case 'in':
      return isIn(formula.variable, fullMask(formula.variable) & ~formula.mask)
    case 'and':
      return or(...formula.parts.map(not))
    case 'or':
      return and(...formula.parts.map(not))
    case 'some':
      return { ...formula, kind: 'every', of: not(formula.of) }
    case 'every':
      return { ...formula, kind: 'some', of: not(formula.of) }
    case 'count':
      return { ...formula, spans: outside(formula.spans) }
  }
  return formula satisfies never
}
