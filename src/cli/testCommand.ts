/** `tollgate test`, as the command line has it. */
import { type Command, Option } from 'commander'
import { UsageError } from './exit.ts'
import { inFormat, jsonFormatOption, layerOption, policyOption } from './options.ts'
import type { TestOptions } from './test.ts'
import type { GenerateOptions } from './testGenerate.ts'
import { numberUpTo } from './testNumbers.ts'
import { addTrustOptions } from './trustOptions.ts'

type Written = Omit<TestOptions, 'run'> &
  Pick<GenerateOptions, 'from' | 'force'> & {
    readonly run?: string
    readonly json?: true
    readonly generate?: true
  }

export function addTest(program: Command): void {
  addTrustOptions(
    program
      .command('test')
      .description(
        'run the tests of policies, case files and tests in Rego, in one report; ends with 1 where one fails or none is there',
      )
      .usage('[options] [DIR|FILE...]')
      .addOption(policyOption())
      .addOption(layerOption()),
  )
    .option('-r, --run <regex>', 'the tests alone whose names match')
    .option('-v, --verbose', 'show every test, also those that pass')
    .option('--fail-fast', 'stop at the first test that fails')
    .addOption(
      new Option('--format <form>', 'how the report is written')
        .choices(['text', 'json', 'junit', 'tap'])
        .default('text'),
    )
    .addOption(jsonFormatOption())
    .option(
      '-o, --output <file>',
      'write the report into this file, and the text to standard output all the same (default: standard output)',
    )
    .option('--coverage', 'tell which rules of the policies, and which lines of Rego, the tests come to')
    .option('--threshold <percent>', 'end with 1 where they cover less of it', (text) =>
      numberUpTo(100, '--threshold', text),
    )
    .option('--lcov <file>', 'write the coverage into this file, as LCOV')
    .option('--mutate', 'change each rule of the policies, and tell the changes that no case notices')
    .option('--min-score <share>', 'end with 1 where a smaller share of them is noticed, 0.9 for example', (text) =>
      numberUpTo(1, '--min-score', text),
    )
    .option('--var-values', 'show the values of variables where a test in Rego failed')
    .option('--watch', 'run them again whenever a test or a policy changes')
    .option('--generate', 'write a first case file for a policy, which is named in the place of the tests')
    .option('--from <file>', 'with `--generate`: of calls that were recorded, in this ledger or file of decisions')
    .option('--force', 'with `--generate`: replace the file of `-o` if it is there')
    .argument('[file...]', 'files with tests, and folders that are looked through (default: this folder)')
    .action(async (paths: string[], { run, generate, from, force, ...written }: Written) => {
      if (generate) {
        await (await import('./testGenerate.ts')).generateCases(paths, { from, force, ...written })
        return
      }
      requireTogether({ '--from': from, '--force': force })
      const { nameFilter, test } = await import('./test.ts')
      await test(paths, { ...inFormat(written), ...(run !== undefined && { run: nameFilter(run) }) })
    })
}

/** What writes a case file has nothing to say where tests are run. */
function requireTogether(options: Readonly<Record<string, unknown>>): void {
  const [alone] = Object.entries(options).find(([, value]) => value !== undefined) ?? []
  if (alone !== undefined) throw new UsageError(`\`${alone}\` goes with \`--generate\``)
}
