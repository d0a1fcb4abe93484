/** The commands of tool pinning. */
import { Argument, type Command, Option } from 'commander'
import { ledgerOption } from './options.ts'
import type { ToolsAcceptOptions, ToolsOptions } from './tools.ts'

const serverOption = (about: string) => new Option('--server <name>', about)

export function addTools(program: Command): void {
  const toolsCommand = program
    .command('tools')
    .description('what servers say of their tools: what was accepted, and what is held back')

  toolsCommand
    .command('list')
    .description('every tool that a gate has seen which pins tools, and whether it is held back')
    .addOption(serverOption('the tools of this server'))
    .addOption(ledgerOption())
    .option('--json', 'print them as JSON, with their definitions')
    .action(async (options: ToolsOptions) => (await import('./tools.ts')).toolsList(options))

  toolsCommand
    .command('diff')
    .description('what is held back, beside what was accepted; ends with 1 where something is')
    .addArgument(new Argument('[tool...]', 'these tools (default: all)'))
    .addOption(serverOption('the tools of this server'))
    .addOption(ledgerOption())
    .option('--json', 'print the changes as JSON')
    .action(async (names: string[], options: ToolsOptions) => (await import('./tools.ts')).toolsDiff(names, options))

  toolsCommand
    .command('accept')
    .description('from now on the tool is what it says now: lists show it, and it can be called')
    .usage('TOOL...|--instructions|--all [options]')
    .addArgument(new Argument('[tool...]', 'the tools'))
    .option('--instructions', 'what the server says of itself, and how to use it')
    .option('--all', 'all of the server that is held back')
    .addOption(serverOption('the server that has them (default: the one server that the ledger knows)'))
    .option('--digest <digits>', 'which definition, where the tool was shown with several: how its digest begins')
    .option('--also', 'what was accepted before stays so: for a server that shows several definitions')
    .option('--reason <text>', 'why; it is recorded')
    .addOption(new Option('--as <name>', 'who says so (default: the user of the operating system)'))
    .addOption(ledgerOption())
    .option('--json', 'print what was accepted as JSON')
    .action(async (names: string[], options: ToolsAcceptOptions) =>
      (await import('./tools.ts')).toolsAccept(names, options),
    )
}
