/** Runs files with tests: reads each, compiles its policy once, and plays its cases. */
import { dirname, join } from 'node:path'
import { PolicyError } from '../bundle/errors.ts'
import { messageOf, TollgateError } from '../model/errors.ts'
import { isGzip } from '../opa/files.ts'
import type { Diagnostic } from '../policy/diagnostics.ts'
import type { TrustNow } from '../runtime/bundleFile.ts'
import { namedFiles, readBeside, readPolicyFile } from '../runtime/policyFile.ts'
import { filesOf, type LoadedSet, loadPolicySet, type PolicyChoice } from '../runtime/policySet.ts'
import { readCases } from './caseFile/read.ts'
import { type PlayOptions, playSuite } from './play.ts'
import type { SuiteResult, Trouble } from './result.ts'
import type { Suite } from './suite.ts'

export interface RunOptions extends Omit<PlayOptions, 'watch'> {
  /** In the place of the policies that the files name. */
  readonly policy?: PolicyChoice
  /** Whom bundles are believed from that files name. */
  readonly trust?: TrustNow
  /** Who is told of the calls of a suite. */
  readonly watcherOf?: (suite: Suite) => NonNullable<PlayOptions['watch']> | Promise<NonNullable<PlayOptions['watch']>>
}

/** A file that was run, with what it was run against. */
export interface RanSuite {
  readonly result: SuiteResult
  readonly suite?: Suite
  readonly loaded?: LoadedSet
}

/** Never throws: what is wrong with a file or its policy is its trouble. */
export async function runFile(
  file: string,
  { policy, trust, watcherOf, ...options }: RunOptions = {},
): Promise<RanSuite> {
  const kind = 'cases'
  try {
    const read = readCases({
      file,
      text: textOf(file),
      beside: readBeside(file),
      ...(policy && { policy }),
    })
    const { diagnostics } = read
    const suite = read.suite && trusting(read.suite, trust)
    if (!suite) {
      const error = new TollgateError('cases_invalid', `\`${file}\` has mistakes`)
      return { result: { file, kind, cases: [], trouble: mistaken(error, diagnostics) } }
    }
    const loaded = await loadPolicySet(suite.policy)
    const watch = await watcherOf?.(suite)
    const cases = playSuite(suite, loaded.active(), { ...options, ...(watch && { watch }) })
    return {
      suite,
      loaded,
      result: { file, kind: suite.kind, cases, ...(diagnostics.length > 0 && { warnings: diagnostics }) },
    }
  } catch (error) {
    return { result: { file, kind, cases: [], trouble: troubleOf(error) } }
  }
}

/** Whoever reads the policy of the suite again believes the same. */
function trusting(suite: Suite, trust: TrustNow | undefined): Suite {
  return trust ? { ...suite, policy: { ...suite.policy, trust } } : suite
}

/** The files that a file with tests names, as far as it can be read; with the policies, those that they name. */
export function filesOfTest(file: string): readonly string[] {
  try {
    const named: string[] = []
    const beside = (name: string) => {
      named.push(join(dirname(file), name))
      return readBeside(file)(name)
    }
    const { suite } = readCases({ file, text: textOf(file), beside })
    const policies = suite ? filesOf(suite.policy) : []
    return [...named, ...policies, ...policies.flatMap(filesOfPolicy)]
  } catch {
    return [] // said by the run
  }
}

function filesOfPolicy(file: string): readonly string[] {
  const bytes = readPolicyFile(file)
  return isGzip(bytes) ? [] : namedFiles(file, bytes)
}

function textOf(file: string): Uint8Array {
  try {
    return readPolicyFile(file)
  } catch (cause) {
    throw new TollgateError('tests_unreadable', messageOf(cause), { cause })
  }
}

function troubleOf(error: unknown): Trouble {
  if (error instanceof PolicyError) {
    const [file = 'the policy'] = error.diagnostics
      .filter(({ severity }) => severity === 'error')
      .map((one) => one.file)
    return mistaken(new TollgateError('policy_invalid', `\`${file}\` has mistakes`), error.diagnostics)
  }
  return mistaken(error instanceof TollgateError ? error : new TollgateError('tests_failed', messageOf(error)), [])
}

function mistaken({ code, message }: TollgateError, diagnostics: readonly Diagnostic[]): Trouble {
  return { code, message, diagnostics }
}
