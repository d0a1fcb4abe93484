/** From a solution to a call: the shortest that the solution allows, and what was counted before it. */

import type { Call } from '../model/call.ts'
import type { Json } from '../model/canonical.ts'
import type { Method } from '../model/policy.ts'
import { wordsIn } from '../model/words.ts'
import type { Space } from './ask.ts'
import type { About } from './cases.ts'
import { elementsShownMax } from './elements.ts'
import { type Formula, type Mask, type Variable, where } from './formula.ts'
import type { Place, Value } from './place.ts'
import type { Solution } from './solve.ts'

/** A call as `tollgate eval` reads it, and what the counters stand at before it. */
export interface Example {
  readonly call: ExampleCall
  readonly counts: ReadonlyMap<string, number>
}

/** Under the names of a line of `eval`. */
export interface ExampleCall {
  readonly server?: string
  readonly tool?: string
  readonly resource?: string
  readonly prompt?: string
  readonly arguments?: Call['arguments']
  readonly principal?: Call['principal']
  readonly time?: string
}

const nouns: Readonly<Record<Method, 'tool' | 'resource' | 'prompt'>> = {
  'tools/call': 'tool',
  'resources/read': 'resource',
  'prompts/get': 'prompt',
}

type Allows = (variable: Variable) => Mask

export function exampleOf(space: Space, { target, principal }: About, solution: Solution, allows: Allows): Example {
  const args = { ...(builtValue(space.root, solution, allows) as { [key: string]: Json }) }
  // Under a name that the policies do not ask for, and that is none of theirs in another letter case.
  for (const [word, variable] of space.words) if (isThere(variable, solution)) args[`- ${word}`] = null
  const time = timeOf(space, solution)
  return {
    call: {
      ...(target.server !== '' && { server: target.server }),
      [nouns[target.method]]: target.name,
      ...(Object.keys(args).length > 0 && { arguments: args }),
      ...(Object.keys(principal).length > 0 && { principal }),
      ...(time !== undefined && { time }),
    },
    counts: solution.counts,
  }
}

/** Words that the solution wants to be in the call, or not to be, while they are not, or are. */
export function wrongWords({ words }: Space, solution: Solution, { call }: Example): readonly Formula[] {
  const read = { name: call.tool ?? '', server: call.server ?? '', arguments: call.arguments ?? {} } as Call
  const there = new Set(wordsIn(read, new Set(words.keys())))
  return [...words].flatMap(([word, variable]) =>
    isThere(variable, solution) === there.has(word) ? [] : [where(variable, (is) => is === there.has(word))],
  )
}

function isThere(variable: Variable<boolean>, { classes }: Solution): boolean {
  return variable.classes[classes.get(variable) ?? 0] === true
}

/** In a week that begins on a Monday. */
function timeOf({ minute, weekday }: Space, solution: Solution): string | undefined {
  if (minute.classes.length === 1 && weekday.classes.length === 1) return undefined
  const minutes = minute.classes[solution.classes.get(minute) ?? 0] as number
  const day = weekday.classes[solution.classes.get(weekday) ?? 0] as number
  return new Date(Date.UTC(2026, 0, 4 + day, 0, minutes)).toISOString()
}

function builtValue(place: Place, solution: Solution, allows: Allows): Json | undefined {
  const { variable } = place
  const chosen = variable.classes[solution.classes.get(variable) ?? lowest(allows(variable))] as Value
  if (chosen.open === 'object') {
    const fields = [...place.fields].sort(([one], [other]) => (one < other ? -1 : 1))
    const members = fields.map(([key, below]) => [key, builtValue(below, solution, allows)] as const)
    // `fromEntries` defines own members, so that an argument called `__proto__` stays one.
    return Object.fromEntries(members.filter(([, value]) => value !== undefined)) as Json
  }
  if (chosen.open !== 'array') return chosen.value
  const said = solution.elements.get(variable) ?? []
  const length = Math.min(Math.max(said.length, chosen.lengths?.min ?? 0), elementsShownMax)
  return Array.from({ length }, (_, index) => {
    const element = said[index]
    return element ? (builtValue(place.elements, element, allows) as Json) : null
  })
}

function lowest(mask: Mask): number {
  let index = 0
  for (let left = mask; left > 0n && (left & 1n) === 0n; left >>= 1n) index++
  return index
}
