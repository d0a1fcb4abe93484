/** The command that judges recorded calls again. */
import { type Command, Option } from 'commander'
import { collected, inFormat, jsonFormatOption, layerOption } from './options.ts'
import type { ReplayOptions } from './replay.ts'
import { addTrustOptions } from './trustOptions.ts'

export function addReplay(program: Command): void {
  addTrustOptions(
    program
      .command('replay')
      .description('judge recorded calls again by another policy, in their order, and say what changes')
      .usage('--against POLICY|--layer NAME=POLICY... [options]')
      .addOption(
        new Option(
          '--against <file>',
          'the policy to judge by; several, each after its own `--against`, are merged, the first is the base',
        ).argParser(collected),
      )
      .addOption(layerOption()),
  )
    .option(
      '--from <file>',
      'a ledger, or decisions: lines of `tollgate audit`, or a decision log of OPA, also gzip; `-` is standard input (default: the ledger that `audit` reads)',
    )
    .option('--since <time>', 'report on calls from this time on; those before it are judged too, as they count')
    .addOption(
      new Option(
        '--fail-on <what>',
        'exit with 1 on `newly-allowed`, `newly-denied`, `newly-held`, `undecidable` or `any`; several with commas, or each after its own',
      ).argParser(collected),
    )
    .option('--examples <n>', 'calls shown of each kind of change', '3')
    .addOption(
      new Option('--format <form>', 'for a person, a program, or a pull request')
        .choices(['text', 'json', 'markdown'])
        .default('text'),
    )
    .addOption(jsonFormatOption())
    .option('-o, --output <file>', 'write into this file, whole or not at all (default: standard output)')
    .action(async (options: ReplayOptions) => (await import('./replay.ts')).replay(inFormat(options)))
}
