/** The mutants of all policies of a run of tests, against all the cases of each. */
import type { CaseResult } from '../result.ts'
import type { Suite } from '../suite.ts'
import { writtenSet } from '../written.ts'
import { type Mutation, type MutationRun, mutationOf, type Progress, tryMutants } from './run.ts'
import { trialOf } from './trials.ts'

/** A suite that was played with what came of it. */
export interface Played {
  readonly suite: Suite
  readonly cases: readonly CaseResult[]
}

/** Cases that were left out or skipped have no part in it. */
export async function mutateSuites(played: readonly Played[], progress?: Progress): Promise<Mutation> {
  const byPolicy = Map.groupBy(played, ({ suite }) => JSON.stringify(suite.policy))
  const runs: MutationRun[] = []
  for (const group of byPolicy.values()) {
    const set = await writtenSet((group[0] as Played).suite.policy)
    runs.push(tryMutants(set, group.flatMap(trialsOf), progress))
  }
  return mutationOf(runs)
}

function trialsOf({ suite, cases }: Played) {
  const passed = new Set(cases.filter(({ status }) => status === 'passed').map(({ name }) => name))
  return suite.cases.filter(({ name }) => passed.has(name)).map(trialOf)
}
