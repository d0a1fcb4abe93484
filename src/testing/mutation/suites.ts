/** The mutants of all policies of a run of tests, against all the cases of each. */
import type { CaseResult } from '../result.ts'
import type { Suite } from '../suite.ts'
import { writtenSet } from '../written.ts'
import { type Mutation, mutationOf, type Progress, tryMutants } from './run.ts'
import { trialOf } from './trials.ts'

/** A suite that was played with what came of it. */
export interface Played {
  readonly suite: Suite
  readonly cases: readonly CaseResult[]
}

/** Cases that were left out or skipped have no part in it. */
export function mutateSuites(played: readonly Played[], progress?: Progress): Mutation {
  const byPolicy = Map.groupBy(played, ({ suite }) => JSON.stringify(suite.policy))
  const runs = [...byPolicy.values()].flatMap((group) => {
    const [first] = group
    if (!first) return []
    return [tryMutants(writtenSet(first.suite.policy), group.flatMap(trialsOf), progress)]
  })
  return mutationOf(runs)
}

function trialsOf({ suite, cases }: Played) {
  const passed = new Set(cases.filter(({ status }) => status === 'passed').map(({ name }) => name))
  return suite.cases.filter(({ name }) => passed.has(name)).map(trialOf)
}
