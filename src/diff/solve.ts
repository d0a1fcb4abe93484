/**
 * Is there a call of which a formula holds? Complete: what can hold in one way alone is settled first, then one of the
 * ways in which an alternative can hold is tried after the other, so that no answer means that there is none.
 */
import { chosen } from './choose.ts'
import type { Asked, Order } from './counts.ts'
import type { ArrayClass } from './elements.ts'
import { type Formula, type Mask, not, type Variable } from './formula.ts'

/** What the work may take. Throws `Undecided` when that is used up. */
export interface Budget {
  spend(): void
}

export class Undecided extends Error {}

export interface Solution {
  readonly classes: ReadonlyMap<Variable, number>
  readonly counts: ReadonlyMap<string, number>
  /** What stands in the arrays, where something must. */
  readonly elements: ReadonlyMap<Variable, readonly Solution[]>
}

/** What is known of the value of a class, as far as solving takes it. */
export interface Solvable extends ArrayClass {
  /** Micro-units, where it is an amount. */
  readonly micro?: number
}

export interface Rules {
  readonly order: Order
  readonly budget: Budget
  /** Classes that are no values which could be shown. */
  readonly allows: (variable: Variable) => Mask
}

/** What is known so far. */
export interface State {
  readonly masks: Map<Variable, Mask>
  readonly counts: Asked[]
  readonly some: Map<Variable, Formula[]>
  readonly every: Map<Variable, Formula[]>
}

export function solve(formula: Formula, rules: Rules): Solution | undefined {
  return search([formula], { masks: new Map(), counts: [], some: new Map(), every: new Map() }, rules)
}

function search(wanted: readonly Formula[], state: State, rules: Rules): Solution | undefined {
  rules.budget.spend()
  const open = settle(wanted, state, rules)
  if (open === undefined) return undefined
  // What cannot be now cannot be later either.
  const solution = chosen(state, rules, (formula) => solve(formula, rules))
  if (solution === undefined || open.length === 0) return solution
  const [first, ...rest] = open.toSorted((a, b) => a.length - b.length) as [Formula[], ...Formula[][]]
  const others: Formula[] = rest.map((parts) => ({ kind: 'or', parts }))
  const excluded: Formula[] = []
  for (const part of first) {
    const found = search([part, ...excluded, ...others], copyOf(state), rules)
    if (found) return found
    if (part.kind === 'in') excluded.push(not(part))
  }
  return undefined
}

/** Takes in all that can hold in one way alone, and gives the alternatives that are left; undefined when nothing can hold. */
function settle(wanted: readonly Formula[], state: State, rules: Rules): Formula[][] | undefined {
  const facts: Formula[] = [...wanted]
  let open: Formula[][] = []
  while (facts.length > 0) {
    for (let fact = facts.pop(); fact; fact = facts.pop()) {
      if (fact.kind === 'no') return undefined
      if (fact.kind === 'and') facts.push(...fact.parts)
      else if (fact.kind === 'or') open.push([...fact.parts])
      else if (!take(fact, state, rules)) return undefined
    }
    const left: Formula[][] = []
    for (const parts of open) {
      const possible = parts.filter((part) => truth(part, state, rules) !== false)
      if (possible.length === 0) return undefined
      if (possible.some((part) => truth(part, state, rules) === true)) continue
      if (possible.length === 1) facts.push(possible[0] as Formula)
      else left.push(possible)
    }
    open = left
  }
  return open
}

function take(fact: Formula, state: State, rules: Rules): boolean {
  if (fact.kind === 'in') return narrow(fact.variable, fact.mask, state, rules)
  if (fact.kind === 'count') state.counts.push(fact)
  if (fact.kind === 'some' || fact.kind === 'every') {
    state[fact.kind].set(fact.array, [...(state[fact.kind].get(fact.array) ?? []), fact.of])
    if (fact.kind === 'some') return narrow(fact.array, arraysOf(fact.array), state, rules)
  }
  return true
}

function narrow(variable: Variable, mask: Mask, state: State, rules: Rules): boolean {
  const left = maskIn(state, variable, rules) & mask
  state.masks.set(variable, left)
  return left !== 0n
}

export function maskIn(state: State, variable: Variable, rules: Rules): Mask {
  return state.masks.get(variable) ?? rules.allows(variable)
}

const arrayMasks = new WeakMap<Variable, Mask>()

/** The classes that have elements of which something can be said. */
function arraysOf(variable: Variable): Mask {
  const known = arrayMasks.get(variable)
  if (known !== undefined) return known
  const classes = variable.classes as readonly Solvable[]
  const mask = classes.reduce((bits, one, index) => (one.lengths ? bits | (1n << BigInt(index)) : bits), 0n)
  arrayMasks.set(variable, mask)
  return mask
}

/** Undefined where it is open. */
function truth(formula: Formula, state: State, rules: Rules): boolean | undefined {
  switch (formula.kind) {
    case 'yes':
      return true
    case 'no':
      return false
    case 'in': {
      const mask = maskIn(state, formula.variable, rules)
      if ((mask & formula.mask) === 0n) return false
      return (mask & ~formula.mask) === 0n ? true : undefined
    }
    case 'and':
    case 'or': {
      const decisive = formula.kind === 'or'
      let open = false
      for (const part of formula.parts) {
        const one = truth(part, state, rules)
        if (one === decisive) return decisive
        open ||= one === undefined
      }
      return open ? undefined : !decisive
    }
    case 'some':
      return (maskIn(state, formula.array, rules) & arraysOf(formula.array)) === 0n ? false : undefined
    case 'every':
      return (maskIn(state, formula.array, rules) & arraysOf(formula.array)) === 0n ? true : undefined
    case 'count':
      return undefined
  }
  return formula satisfies never
}

function copyOf({ masks, counts, some, every }: State): State {
  return { masks: new Map(masks), counts: [...counts], some: new Map(some), every: new Map(every) }
}
