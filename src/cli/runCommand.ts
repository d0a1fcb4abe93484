/** `tollgate run` as a command, and the program of who asks for it: a client that starts its servers waits for this one. */
import type { Command } from 'commander'
import { addBundleOptions } from './distributionCommands.ts'
import { addExamples } from './examples.ts'
import { stayWhenUnread } from './exit.ts'
import { addCredentialOptions } from './identityCommands.ts'
import {
  adminUrlOption,
  agentOption,
  approvalWaitOption,
  argumentsOption,
  durabilityOption,
  groupOption,
  layerOption,
  ledgerOption,
  logFormatOption,
  logLevelOption,
  policyOption,
  projectOption,
  runOption,
  userOption,
} from './options.ts'
import { rootCommand } from './root.ts'
import type { RunOptions } from './run.ts'
import { addTrustOptions } from './trustOptions.ts'

/** As the whole program, for a command line that begins with `run`: the other commands are many modules. */
export function runProgram(): Command {
  const program = rootCommand()
  addRunCommand(program)
  addExamples(program)
  return program
}

export function addRunCommand(program: Command): void {
  const runCommand = addTrustOptions(
    program
      .command('run')
      .description('wrap an MCP server for a stdio client: every call is judged before it reaches the server')
      .usage('-c POLICY|--layer NAME=POLICY...|--bundle PLACE... [options] -- CMD [ARG...] | --upstream URL')
      .addOption(policyOption())
      .addOption(layerOption()),
  )
    .option('--upstream <url>', 'the server, where it is reached over HTTP')
    .option('--timeout <duration>', 'how long a server over HTTP may be silent while it owes an answer', '5m')
  addBundleOptions(runCommand)
  addCredentialOptions(runCommand)
    .option('--server <name>', 'what policies call this server')
    .addOption(agentOption())
    .addOption(userOption())
    .addOption(projectOption())
    .addOption(groupOption())
    .option('--session <id>', 'name of this session (default: a fresh one)')
    .addOption(runOption())
    .addOption(approvalWaitOption())
    .addOption(adminUrlOption())
    .addOption(ledgerOption())
    .addOption(durabilityOption())
    .addOption(argumentsOption())
    .addOption(logFormatOption())
    .addOption(logLevelOption())
    .argument('[cmd...]', 'the server and its arguments, after `--`')
    .action(async (command: string[], flags: RunOptions, parsed: Command) => {
      stayWhenUnread(process.stdout)
      await (await import('./run.ts')).run(command, flags, parsed)
    })
}
