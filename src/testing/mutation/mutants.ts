/** The mutants of a policy: each has one small change, such as a slip of the pen or a careless review lets through. */
import type { Place, Policy, PolicySet } from '../../model/policy.ts'
import { isLayeredSet, type Written, type WrittenSet } from '../written.ts'
import type { Edit } from './edit.ts'
import { orderedEdits } from './ordered.ts'
import { packEdits } from './pack.ts'
import { allEdits } from './rules.ts'

export interface Mutant {
  readonly place: Place
  /** What is changed, in words. */
  readonly change: string
  readonly policy: PolicySet
}

export interface Mutants {
  readonly mutants: readonly Mutant[]
  /** How many changes were left out because they provably change no decision. */
  readonly equivalent: number
}

export function mutantsOf(set: WrittenSet): Mutants {
  if (!isLayeredSet(set)) return mutantsOfOne(set, (policy) => policy)
  const layers = set.map(({ name, written }) => ({ name, policy: written.policy }))
  const each = set.map(({ name, written }, index) =>
    mutantsOfOne(written, (policy) => ({ layers: layers.with(index, { name, policy }) })),
  )
  return {
    mutants: each.flatMap(({ mutants }) => mutants),
    equivalent: each.reduce((sum, { equivalent }) => sum + equivalent, 0),
  }
}

function mutantsOfOne(written: Written, put: (policy: Policy) => PolicySet): Mutants {
  const edits = editsOf(written.policy)
  const counted = edits.filter(({ parts = [] }) => !parts.some((part) => written.isIdle(part)))
  // Another change may have given the same policy.
  const textOf = textBeside(written.policy)
  const known = new Set([textOf(written.policy)])
  const mutants = counted.flatMap(({ to, change, parts = [] }): readonly Mutant[] => {
    const text = textOf(to)
    if (known.has(text)) return []
    known.add(text)
    return [{ place: written.placeOf(parts), change, policy: put(to) }]
  })
  return { mutants, equivalent: edits.length - counted.length }
}

function editsOf(policy: Policy): readonly Edit<Policy>[] {
  switch (policy.strategy) {
    case 'all':
      return allEdits(policy)
    case 'first':
      return orderedEdits(policy)
    case 'pack':
      return packEdits(policy)
  }
  return policy satisfies never
}

/** As text, in which what a change left as it was is its number alone: policies may be long. */
function textBeside(policy: Policy): (other: Policy) => string {
  const parts = new Map<unknown, number>(partsOf(policy).map((part, index) => [part, index]))
  return (other) => JSON.stringify(other, (_, value: unknown) => parts.get(value) ?? value)
}

function partsOf(policy: Policy): readonly object[] {
  switch (policy.strategy) {
    case 'all':
      return policy.entries
    case 'first':
      return policy.rules
    case 'pack':
      return policy.workflows
  }
  return policy satisfies never
}
