/**
 * Is there a call of which a formula holds? Complete: what can hold in one way alone is settled first, then one of the
 * ways in which an alternative can hold is tried after the other, so that no answer means that there is none.
 */
import { type Asked, leastCounts, type Order } from './counts.ts'
import { type ArrayClass, chooseElements } from './elements.ts'
import { type Count, type Formula, fullMask, type Mask, not, type Variable } from './formula.ts'

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

interface State {
  readonly masks: Map<Variable, Mask>
  readonly counts: { readonly count: Count; readonly spans: Extract<Formula, { kind: 'count' }>['spans'] }[]
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
  const solution = chosen(state, rules)
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

function maskIn(state: State, variable: Variable, rules: Rules): Mask {
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

/** A class for each variable, numbers for the counters, and elements for the arrays, if there are any. */
function chosen(state: State, rules: Rules): Solution | undefined {
  const counts = new Map<string, number>()
  const classes = new Map<Variable, number>()
  const byAmount = Map.groupBy(state.counts, ({ count: { adds } }) => (typeof adds === 'number' ? undefined : adds))
  const plain = byAmount.get(undefined) ?? []
  for (const variable of [...byAmount.keys()]) {
    if (variable === undefined) continue
    const asked = byAmount.get(variable) ?? []
    const best = bestAmount(variable, bits(maskIn(state, variable, rules)), [...plain, ...asked], rules)
    if (!best) return undefined
    classes.set(variable, best.index)
    for (const [key, value] of best.least) counts.set(key, Math.max(value, counts.get(key) ?? 0))
  }
  if (byAmount.size === 1 && plain.length > 0) {
    const least = leastCounts(plain, 0, rules.order)
    if (!least) return undefined
    for (const [key, value] of least) counts.set(key, value)
  }
  const elements = new Map<Variable, readonly Solution[]>()
  for (const variable of new Set([...state.some.keys(), ...state.every.keys()])) {
    const every = state.every.get(variable) ?? []
    const arrays = bits(maskIn(state, variable, rules))
    const found = firstOf(arrays, (index) =>
      chooseElements(variable.classes[index] as Solvable, state.some.get(variable) ?? [], every, (wanted) =>
        solve(wanted, rules),
      ),
    )
    if (!found) return undefined
    classes.set(variable, found.at)
    elements.set(variable, found.value)
  }
  for (const [variable, mask] of state.masks) if (!classes.has(variable)) classes.set(variable, bits(mask)[0] as number)
  return { classes, counts, elements }
}

/** The amount before which the least has to be counted. */
function bestAmount(variable: Variable, indexes: readonly number[], asked: readonly Asked[], { order }: Rules) {
  let best: { readonly index: number; readonly least: ReadonlyMap<string, number>; readonly sum: number } | undefined
  for (const index of indexes) {
    const least = leastCounts(asked, microOf(variable, index), order)
    if (!least) continue
    const sum = [...least.values()].reduce((total, one) => total + one, 0)
    if (best === undefined || sum < best.sum) best = { index, least, sum }
    if (sum === 0) break
  }
  return best
}

function firstOf<T>(list: readonly number[], look: (one: number) => T | undefined) {
  for (const at of list) {
    const value = look(at)
    if (value !== undefined) return { at, value }
  }
  return undefined
}

function microOf(variable: Variable, index: number): number {
  return (variable.classes[index] as Solvable).micro ?? Number.NaN
}

function bits(mask: Mask): readonly number[] {
  const found: number[] = []
  for (let left = mask, index = 0; left > 0n; left >>= 1n, index++) if (left & 1n) found.push(index)
  return found
}

function copyOf({ masks, counts, some, every }: State): State {
  return { masks: new Map(masks), counts: [...counts], some: new Map(some), every: new Map(every) }
}

/** All classes of a variable. */
export const everyClass: Rules['allows'] = fullMask
