/** The program without its commands. */
import { Command } from 'commander'
import { version } from '../runtime/version.ts'

export function rootCommand(): Command {
  return new Command('tollgate')
    .description('The gate in front of every MCP call.')
    .version(version, '-V, --version')
    .exitOverride()
    .enablePositionalOptions()
    .showSuggestionAfterError()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error:/, 'tollgate:')) })
    .configureHelp({ sortSubcommands: false })
    .helpCommand(false) // ours, the last one, knows what is under a command and what is none
}
