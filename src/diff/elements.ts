/** What must stand in an array, so that some elements are so and every one is so. */
import { and, type Formula } from './formula.ts'
import type { Solution } from './solve.ts'

/** Longer arrays are not put together. */
export const elementsShownMax = 10_000

export interface ArrayClass {
  /** How many elements an array of this class has; absent for what is no array, or one that is given whole. */
  readonly lengths?: { readonly min: number; readonly max: number }
}

/** Elements that will do, the fewest first; undefined when there are none. Of what is no array nothing is asked. */
export function chooseElements(
  { lengths }: ArrayClass,
  some: readonly Formula[],
  every: readonly Formula[],
  solve: (formula: Formula) => Solution | undefined,
): readonly Solution[] | undefined {
  if (!lengths) return []
  const found = placed(some, [], lengths.max, (parts) => solve(and(...parts, ...every)))
  if (!found || found.length >= lengths.min) return found
  const filler = solve(and(...every))
  const missing = Math.min(lengths.min, elementsShownMax) - found.length
  return filler && [...found, ...Array.from({ length: Math.max(0, missing) }, () => filler)]
}

/** Each thing that some element must be goes to an element of its own, or to one that is there, until all are placed. */
function placed(
  some: readonly Formula[],
  groups: readonly (readonly Formula[])[],
  max: number,
  solve: (parts: readonly Formula[]) => Solution | undefined,
): readonly Solution[] | undefined {
  const [first, ...rest] = some
  if (first === undefined) {
    const solved = groups.map(solve)
    return solved.includes(undefined) ? undefined : (solved as readonly Solution[])
  }
  for (const [index, group] of groups.entries()) {
    if (!solve([...group, first])) continue
    const found = placed(rest, groups.with(index, [...group, first]), max, solve)
    if (found) return found
  }
  if (groups.length >= max || !solve([first])) return undefined
  return placed(rest, [...groups, [first]], max, solve)
}
