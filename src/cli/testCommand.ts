/** `tollgate test`, as the command line has it. */
import { type Command, Option } from 'commander'
import { inFormat, jsonFormatOption, layerOption, policyOption } from './options.ts'
import type { TestOptions } from './test.ts'

type Written = Omit<TestOptions, 'run'> & { readonly run?: string; readonly json?: true }

export function addTest(program: Command): void {
  program
    .command('test')
    .description('run the tests of policies: case files, in one report; ends with 1 where one fails or none is there')
    .usage('[options] [DIR|FILE...]')
    .addOption(policyOption())
    .addOption(layerOption())
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
    .option('--watch', 'run them again whenever a test or a policy changes')
    .argument('[file...]', 'files with tests, and folders that are looked through (default: this folder)')
    .action(async (paths: string[], { run, ...written }: Written) => {
      const { nameFilter, test } = await import('./test.ts')
      await test(paths, { ...inFormat(written), ...(run !== undefined && { run: nameFilter(run) }) })
    })
}
