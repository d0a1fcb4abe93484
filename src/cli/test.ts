/** `tollgate test`: the tests of policies, all of a folder in one report. */
import { TollgateError } from '../model/errors.ts'
import { filesOf } from '../runtime/policySet.ts'
import { coverageText } from '../testing/coverage/text.ts'
import { findTests } from '../testing/find.ts'
import { mutationText } from '../testing/mutation/text.ts'
import { type RegoRun, runRego } from '../testing/rego/run.ts'
import { jsonReport } from '../testing/report/json.ts'
import { junitReport } from '../testing/report/junit.ts'
import { tapReport } from '../testing/report/tap.ts'
import { suiteText, summaryText } from '../testing/report/text.ts'
import { isFine, type TestReport } from '../testing/result.ts'
import { type RanSuite, runFile } from '../testing/run.ts'
import { writeTo } from './auditOutput.ts'
import { exitCodes, UsageError } from './exit.ts'
import { choiceOf, type PolicyOptions } from './policies.ts'
import { paint } from './terminal.ts'
import { isCoverageWanted, type MeasureOptions, measured, measuresFor, requireEnough } from './testMeasures.ts'
import { trustNow } from './trustOptions.ts'

export interface TestOptions extends PolicyOptions, MeasureOptions {
  readonly run?: RegExp
  readonly verbose?: true
  readonly failFast?: true
  readonly format: 'text' | 'json' | 'junit' | 'tap'
  readonly output?: string
  readonly watch?: true
  /** Where a test in Rego failed, the values of its variables. */
  readonly varValues?: true
}

export async function test(paths: readonly string[], options: TestOptions): Promise<void> {
  const wanted = paths.length === 0 ? ['.'] : paths
  const { watch, format, output } = options
  if (watch && (format !== 'text' || output !== undefined))
    throw new UsageError('`--watch` is for people to read: leave away `--format` and `-o`')
  if (!watch) {
    await runOnce(wanted, options)
    return
  }
  const { whenChanged } = await import('./testWatch.ts')
  const { policy } = playOptions(options)
  await whenChanged(wanted, policy ? filesOf(policy) : [], () => runOnce(wanted, options))
}

async function runOnce(paths: readonly string[], options: TestOptions): Promise<void> {
  const { format, output } = options
  const startedMs = performance.now()
  const files = findTests(paths)
  const measures = measuresFor(options)
  const isText = format === 'text' || output !== undefined
  const ran: RanSuite[] = []
  for (const file of files) {
    const one = await runFile(file, { ...playOptions(options), ...(measures && { watcherOf: measures.watcherOf }) })
    // A file of which nothing is wanted is not in the report.
    if (options.run && one.result.cases.length === 0 && !one.result.trouble) continue
    ran.push(one)
    if (isText) process.stdout.write(suiteText(one.result, textOptions(options)))
    if (options.failFast && !isFineSoFar(one)) break
  }
  const rego = await regoOf(paths, ran, options)
  for (const suite of rego.suites) {
    ran.push({ result: suite })
    if (isText) process.stdout.write(suiteText(suite, textOptions(options)))
  }
  const found = await measured(ran, measures, rego.coverage, options)
  const report: TestReport = {
    ...found,
    suites: ran.map(({ result }) => result),
    durationMs: performance.now() - startedMs,
  }
  const tried = report.suites.filter(({ cases, trouble }) => cases.length > 0 || trouble)
  if (tried.length === 0) throw nothingToTest(paths, options)
  if (isText) process.stdout.write(`${measuresText(report)}${summaryText(report, textOptions(options))}`)
  if (format !== 'text') await writeTo(output, [formatted(format, report)])
  process.exitCode = isFine(report.suites) ? exitCodes.fine : exitCodes.wrong
  requireEnough(report, options)
}

/** All Rego of the folders is one; the first failure before it ends the run where that is wanted. */
async function regoOf(paths: readonly string[], ran: readonly RanSuite[], options: TestOptions): Promise<RegoRun> {
  if (options.failFast && !ran.every(isFineSoFar)) return { suites: [] }
  return runRego(paths, {
    ...(options.run && { run: options.run.source }),
    coverage: isCoverageWanted(options),
    vars: options.varValues === true,
  })
}

function measuresText({ coverage, mutation }: TestReport): string {
  return `${coverage ? coverageText(coverage) : ''}${mutation ? mutationText(mutation) : ''}`
}

function playOptions(options: TestOptions) {
  const { run, failFast, config, layer } = options
  const trust = trustNow(options)
  return {
    ...(trust && { trust }),
    ...(run && { only: run }),
    ...(failFast && { failFast }),
    ...((config || layer) && { policy: choiceOf(options) }),
  }
}

function isFineSoFar({ result: { cases, trouble } }: RanSuite): boolean {
  return !trouble && cases.every(({ status }) => status === 'passed' || status === 'skipped')
}

function textOptions({ verbose }: TestOptions): Parameters<typeof suiteText>[1] {
  return { verbose: verbose === true, paint: (colour, text) => paint(colour, text, process.stdout) }
}

function formatted(format: Exclude<TestOptions['format'], 'text'>, report: TestReport): string {
  switch (format) {
    case 'json':
      return jsonReport(report)
    case 'junit':
      return junitReport(report)
    case 'tap':
      return tapReport(report)
  }
  return format satisfies never
}

function nothingToTest(paths: readonly string[], { run }: TestOptions): TollgateError {
  const where = paths.map((path) => `\`${path}\``).join(', ')
  const why = run
    ? `no test in ${where} has a name that \`${run.source}\` matches`
    : `there are no tests in ${where}: case files are called \`*_test.yaml\`, tests in Rego \`*_test.rego\`; \`tollgate test --generate POLICY -o FILE\` writes a first one`
  return new TollgateError('no_tests', why)
}

/** Throws a `UsageError`. */
export function nameFilter(text: string): RegExp {
  try {
    return new RegExp(text, 'u')
  } catch (error) {
    throw new UsageError(`\`--run\` must be a regular expression: ${(error as Error).message}`)
  }
}
