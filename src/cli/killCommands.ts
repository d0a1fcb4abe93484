/** The commands of the kill switch, and of what it is about: sessions and runs. */
import { Argument, type Command, Option } from 'commander'
import type { KillLiftOptions, KillListOptions, KillOptions } from './kill.ts'
import { ledgerOption } from './options.ts'
import type { SessionsListOptions, SessionsShowOptions } from './sessions.ts'

const asOption = () => new Option('--as <name>', 'who says so (default: the user of the operating system)')

function withTargets(command: Command): Command {
  return command
    .option('--session <id>', 'this session')
    .option('--agent <id>', 'every session of this agent')
    .option('--user <id>', 'every session for this person')
    .option('--project <id>', 'every session for this project')
    .option('--run <id>', 'all that this run calls')
    .option('--server <name>', 'all that goes to this server')
    .option('--tool <name>', 'calls of this tool, or of all that a pattern like `delete_*` names, whoever makes them')
    .option('--all', 'every call of every gate with this ledger')
}

export function addKill(program: Command): void {
  const killCommand = withTargets(
    program
      .command('kill')
      .description('stop a session, an agent, a tool or everything at once, until it is lifted')
      .usage(
        '--session ID|--agent ID|--user ID|--project ID|--run ID|--server NAME|--tool NAME|--all [options] | list | lift',
      )
      .helpCommand(false)
      .allowExcessArguments(), // said better below
  )
    .option('--reason <text>', 'why; it is recorded, and whoever is stopped is told')
    .addOption(asOption())
    .addOption(ledgerOption())
    .option('--json', 'print the kill as JSON')
    .action(async (options: KillOptions, command: Command) => {
      if (command.args[0] !== undefined) return (await import('./help.ts')).unknownCommand(command, command.args[0])
      ;(await import('./kill.ts')).kill(options)
    })

  killCommand
    .command('list')
    .description('what is stopped now, since when, by whom and why')
    .addOption(ledgerOption())
    .option('--json', 'print it as JSON')
    .action(async (options: KillListOptions) => {
      const { killList, refuseTargets } = await import('./kill.ts')
      refuseTargets(killCommand)
      killList(options)
    })

  withTargets(
    killCommand
      .command('lift')
      .description('let it go on: nothing else ends a kill')
      .usage(
        'KILL_ID|--session ID|--agent ID|--user ID|--project ID|--run ID|--server NAME|--tool NAME|--all [options]',
      ),
  )
    .option('--reason <text>', 'why; it is recorded')
    .addOption(asOption())
    .addOption(ledgerOption())
    .option('--json', 'print the kill that is over as JSON')
    .addArgument(new Argument('[id]', 'the id of the kill, as `kill list` says it'))
    .action(async (id: string | undefined, options: KillLiftOptions) => {
      const { killLift, refuseTargets } = await import('./kill.ts')
      refuseTargets(killCommand)
      killLift(id, options)
    })
}

export function addSessions(program: Command): void {
  addActivities(program, {
    name: 'sessions',
    description: 'what sessions did and spent, and which are stopped',
    list: 'sessions, in the order in which they were last heard of',
    show: 'one session: who called, what was decided, what each counter was charged',
    id: 'the session, as the record names it',
  })
  addActivities(program, {
    name: 'runs',
    description: 'what the runs of workflows did and spent, under a policy pack',
    list: 'runs, in the order in which they were last heard of',
    show: 'one run: its sessions, what was decided, what each counter was charged',
    id: 'the run, as its host registered it (`run_id`)',
  })
}

interface ActivityCommand {
  readonly name: 'sessions' | 'runs'
  readonly description: string
  readonly list: string
  readonly show: string
  readonly id: string
}

const sinceOption = () =>
  new Option('--since <time>', 'only what was recorded from this time on: RFC 3339, or how long ago, like 15m, 2h, 7d')

function addActivities(program: Command, { name, description, list, show, id }: ActivityCommand): void {
  const command = program.command(name).description(description)

  command
    .command('list')
    .description(list)
    .addOption(ledgerOption())
    .addOption(sinceOption())
    .option('--limit <n>', 'the last n of them (default: 50 in a table, else all)')
    .option('--json', 'print them as JSON')
    .action(async (options: SessionsListOptions) => (await import('./sessions.ts')).activitiesList(name, options))

  command
    .command('show')
    .description(show)
    .addArgument(new Argument('<id>', id))
    .addOption(ledgerOption())
    .addOption(sinceOption())
    .option('--json', 'print it as JSON')
    .action(async (found: string, options: SessionsShowOptions) =>
      (await import('./sessions.ts')).activitiesShow(name, found, options),
    )
}
