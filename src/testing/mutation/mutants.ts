/** The mutants of a policy: each has one small change, such as a slip of the pen or a careless review lets through. */
import type { Place, Policy, PolicySet } from '../../model/policy.ts'
import { needsModel } from '../../model/rego.ts'
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
  /** What is changed decides nothing, as `check` warns. It may once it is changed. */
  readonly isOfIdle?: true
}

export interface Mutants {
  readonly mutants: readonly Mutant[]
  /** By these no decision comes out otherwise: nobody could notice them. */
  readonly equivalent: readonly Mutant[]
}

export function mutantsOf(set: WrittenSet): Mutants {
  if (!isLayeredSet(set)) return mutantsOfOne(set, (policy) => policy)
  const layers = set.map(({ name, written }) => ({ name, policy: written.policy }))
  const each = set.map(({ name, written }, index) =>
    mutantsOfOne(written, (policy) => ({ layers: layers.with(index, { name, policy }) })),
  )
  return {
    mutants: each.flatMap(({ mutants }) => mutants),
    equivalent: each.flatMap(({ equivalent }) => equivalent),
  }
}

function mutantsOfOne(written: Written, put: (policy: Policy) => PolicySet): Mutants {
  // Another change may have given the same policy.
  const textOf = textBeside(written.policy)
  const known = new Set([textOf(written.policy)])
  const edits = editsOf(written.policy).filter(({ to }) => {
    const text = textOf(to)
    const isNew = !known.has(text)
    known.add(text)
    return isNew
  })
  const isIdle = (edit: Edit<Policy>) => edit.isIdle === true
  const mutantOf = ({ to, change, parts = [] }: Edit<Policy>): Mutant => ({
    place: written.placeOf(parts),
    change,
    policy: put(to),
    ...(parts.some(written.isIdle) && { isOfIdle: true }),
  })
  return {
    mutants: edits.filter((edit) => !isIdle(edit)).map(mutantOf),
    equivalent: edits.filter(isIdle).map(mutantOf),
  }
}

function editsOf(policy: Policy): readonly Edit<Policy>[] {
  switch (policy.strategy) {
    case 'all':
      return allEdits(policy)
    case 'first':
      return orderedEdits(policy)
    case 'pack':
      return packEdits(policy)
    case 'rego':
      throw needsModel(policy, '`--mutate`')
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
    case 'rego':
      throw needsModel(policy, '`--mutate`')
  }
  return policy satisfies never
}
