/** From what is left open after all was settled to one solution: a class for each variable, counts, elements of arrays. */
import { type Asked, leastCounts } from './counts.ts'
import { chooseElements } from './elements.ts'
import type { Formula, Mask, Variable } from './formula.ts'
import { maskIn, type Rules, type Solution, type Solvable, type State } from './solve.ts'

type Solve = (formula: Formula) => Solution | undefined

/** Undefined when there is none. */
export function chosen(state: State, rules: Rules, solve: Solve): Solution | undefined {
  const classes = new Map<Variable, number>()
  const counts = chosenCounts(state, rules, classes)
  const elements = counts && chosenElements(state, rules, solve, classes)
  if (!elements) return undefined
  for (const [variable, mask] of state.masks) if (!classes.has(variable)) classes.set(variable, bits(mask)[0] as number)
  return { classes, counts, elements }
}

/** Counters of one amount together, since they count the same one; those that count calls with each of them. */
function chosenCounts(state: State, rules: Rules, classes: Map<Variable, number>): Map<string, number> | undefined {
  const byAmount = Map.groupBy(state.counts, ({ count: { adds } }) => (typeof adds === 'number' ? undefined : adds))
  const plain = byAmount.get(undefined) ?? []
  const least = leastCounts(plain, 0, rules.order)
  if (!least) return undefined
  const counts = new Map(least)
  for (const [variable, asked] of byAmount) {
    if (variable === undefined) continue
    const best = bestAmount(variable, bits(maskIn(state, variable, rules)), [...plain, ...asked], rules)
    if (!best) return undefined
    classes.set(variable, best.index)
    for (const [key, value] of best.least) counts.set(key, Math.max(value, counts.get(key) ?? 0))
  }
  return counts
}

function chosenElements(state: State, rules: Rules, solve: Solve, classes: Map<Variable, number>) {
  const elements = new Map<Variable, readonly Solution[]>()
  for (const variable of new Set([...state.some.keys(), ...state.every.keys()])) {
    const [some = [], every = []] = [state.some.get(variable), state.every.get(variable)]
    const arrays = bits(maskIn(state, variable, rules))
    const found = firstOf(arrays, (index) => chooseElements(variable.classes[index] as Solvable, some, every, solve))
    if (!found) return undefined
    classes.set(variable, found.at)
    elements.set(variable, found.value)
  }
  return elements
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
