/** A call of which a formula holds: first among values that can be shown, then among all. */
import type { Space } from './ask.ts'
import type { About } from './cases.ts'
import type { Order } from './counts.ts'
import { type Example, exampleOf, wrongWords } from './example.ts'
import { and, type Formula, fullMask, type Mask, maskOf, type Variable } from './formula.ts'
import type { Value } from './place.ts'
import { type Solution, solve, Undecided } from './solve.ts'

export interface Search {
  readonly space: Space
  readonly order: Order
  readonly expired: () => boolean
}

/** Words that stand in a call by what else is in it are found out by looking at it, so many times. */
const triesMax = 8

/** Undefined when there is none that can be shown. Throws `Undecided`. */
export function exampleFor(wanted: Formula, about: About, search: Search): Example | undefined {
  let asked = wanted
  for (let tries = 0; tries <= triesMax; tries++) {
    const solution = find(asked, search, concrete)
    if (!solution) return undefined
    const example = exampleOf(search.space, about, solution, concrete)
    const wrong = wrongWords(search.space, solution, example)
    if (wrong.length === 0) return example
    asked = and(asked, ...wrong)
  }
  return undefined
}

/** Also with values that are not told apart: no is a proof. Throws `Undecided`. */
export function isPossible(wanted: Formula, search: Search): boolean {
  return find(wanted, search, fullMask) !== undefined
}

function find(wanted: Formula, search: Search, allows: (variable: Variable) => Mask): Solution | undefined {
  const spend = () => {
    if (search.expired()) throw new Undecided()
  }
  return solve(wanted, { order: search.order, budget: { spend }, allows })
}

/** Classes that are values which can be shown. */
function concrete(variable: Variable): Mask {
  const known = concreteMasks.get(variable)
  if (known !== undefined) return known
  const mask = maskOf(variable as Variable<Partial<Value>>, (one) => one?.opaque !== true)
  concreteMasks.set(variable, mask)
  return mask
}

const concreteMasks = new WeakMap<Variable, Mask>()
