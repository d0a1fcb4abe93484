/** What `tollgate test` measures beside the tests: what they cover, and which changes of the policies they notice. */
import type { CoverageReport } from '../compile/request.ts'
import { TollgateError } from '../model/errors.ts'
import { lcov } from '../testing/coverage/lcov.ts'
import { Measures } from '../testing/coverage/measures.ts'
import { type Coverage, coverageOf, isBelow } from '../testing/coverage/report.ts'
import type { Mutation } from '../testing/mutation/run.ts'
import { mutateSuites } from '../testing/mutation/suites.ts'
import { isFine, type TestReport } from '../testing/result.ts'
import type { RanSuite } from '../testing/run.ts'
import { writeTo } from './auditOutput.ts'
import { progressOn } from './progress.ts'

export interface MeasureOptions {
  readonly coverage?: true
  /** Percent. */
  readonly threshold?: number
  readonly lcov?: string
  readonly mutate?: true
  /** From 0 to 1. */
  readonly minScore?: number
}

export function isCoverageWanted({ coverage, threshold, lcov: file }: MeasureOptions): boolean {
  return coverage === true || threshold !== undefined || file !== undefined
}

export function isMutationWanted({ mutate, minScore }: MeasureOptions): boolean {
  return mutate === true || minScore !== undefined
}

/** Listens to the tests, where that is wanted. */
export function measuresFor(options: MeasureOptions): Measures | undefined {
  return isCoverageWanted(options) ? new Measures() : undefined
}

export type Measured = Pick<TestReport, 'coverage' | 'mutation'>

/** Writes the LCOV file, too. Throws `output_unwritable`. */
export async function measured(
  ran: readonly RanSuite[],
  measures: Measures | undefined,
  rego: CoverageReport | undefined,
  options: MeasureOptions,
): Promise<Measured> {
  const coverage = measures && coverageOf(measures.items, rego)
  if (coverage && options.lcov !== undefined) await writeTo(options.lcov, [lcov(coverage)])
  const mutation = isMutationWanted(options) ? await mutationOf(ran) : undefined
  return { ...(coverage && { coverage }), ...(mutation && { mutation }) }
}

/** A case that fails as it is would notice nothing. */
async function mutationOf(ran: readonly RanSuite[]): Promise<Mutation | undefined> {
  if (!isFine(ran.map(({ result }) => result))) {
    process.stderr.write('tollgate: no changes were tried, because a test fails as it is\n')
    return undefined
  }
  const bar = progressOn(process.stderr, 'changes')
  try {
    return await mutateSuites(
      ran.flatMap(({ suite, result }) => (suite ? [{ suite, cases: result.cases }] : [])),
      bar.show,
    )
  } finally {
    bar.clear()
  }
}

/** Throws where less was shown than was asked for. */
export function requireEnough({ coverage, mutation }: Measured, { threshold, minScore }: MeasureOptions): void {
  if (coverage && threshold !== undefined && isBelow(coverage, threshold))
    throw new TollgateError(
      'coverage_too_low',
      `the tests cover less than ${threshold} % ${ofWhat(coverage, threshold)}`,
    )
  if (mutation && minScore !== undefined && mutation.score < minScore)
    throw new TollgateError('score_too_low', `the mutation score is ${mutation.score}, which is below ${minScore}`)
}

function ofWhat({ rules, rego }: Coverage, threshold: number): string {
  const low = [
    ...(rules && rules.percent < threshold ? [`of the rules: ${rules.percent} %`] : []),
    ...(rego && rego.percent < threshold ? [`of the lines of Rego: ${rego.percent} %`] : []),
  ]
  return low.join(', ')
}
