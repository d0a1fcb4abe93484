/** `tollgate init`: finds the servers of the MCP clients of this machine, and puts a gate before each. */
import { resolve } from 'node:path'
import { policyFolder } from '../init/clients.ts'
import { plain } from '../model/message/plain.ts'
import { exitCodes, UsageError } from './exit.ts'
import { type Found, find, thisMachine, type Wanted } from './initFind.ts'
import { ledgerOfShell, ownCommand } from './initGate.ts'
import { type FileReport, failed, reportText } from './initReport.ts'
import { loadPolicy } from './policies.ts'
import { timeoutOf } from './scan.ts'

export interface InitOptions extends Wanted {
  readonly policyDir?: string
  readonly policy?: string
  readonly scan: boolean
  readonly timeout: string
  readonly ledger?: string
  readonly undo?: true
  readonly dryRun?: true
  readonly yes?: true
  readonly json?: true
}

export async function init(options: InitOptions): Promise<void> {
  const timeoutMs = timeoutOf(options.timeout)
  const { canAsk } = await import('./initAsk.ts')
  requireAnswers(options, canAsk())
  const machine = thisMachine()
  const { dryRun = false, yes = false } = options
  const how = { dryRun, ask: !dryRun && !yes }
  const found = find(machine, options)
  const reports = options.undo
    ? await (await import('./initUndo.ts')).undoAll(found.configs, how)
    : await (await import('./initWrap.ts')).wrapAll(found.configs, {
        ...how,
        machine,
        gate: gateOf(options),
        policyFolder: resolve(options.policyDir ?? policyFolder(machine)),
        ...(options.policy !== undefined && { policy: await goodPolicy(options.policy) }),
        noScan: !options.scan,
        timeoutMs,
      })
  print(found, [...found.broken, ...reports], options)
}

/** Without a terminal nobody can be asked, and silence is no answer. */
function requireAnswers({ yes, dryRun, json }: InitOptions, canAsk: boolean): void {
  if (yes || dryRun) return
  const answers = 'say `--yes` to change the configurations, or `--dry-run` to see what would change'
  if (json) throw new UsageError(`\`--json\` asks nothing: ${answers}`)
  if (!canAsk) throw new UsageError(`nobody can be asked here: ${answers}`)
}

function gateOf({ ledger }: InitOptions): { readonly node: string; readonly main: string; readonly ledger?: string } {
  const kept = ledger === undefined ? ledgerOfShell() : ledger
  return { ...ownCommand(), ...(kept !== undefined && { ledger: resolve(kept) }) }
}

/** The policy for all, which must be one that `run` starts with. */
async function goodPolicy(file: string): Promise<string> {
  await loadPolicy({ files: [file] })
  return resolve(file)
}

function print(found: Found, reports: readonly FileReport[], { json, undo }: InitOptions): void {
  process.exitCode = failed(reports) ? exitCodes.wrong : exitCodes.fine
  if (json) {
    process.stdout.write(`${JSON.stringify({ files: reports }, null, 2)}\n`)
    return
  }
  if (reports.length > 0) process.stdout.write(reportText(reports))
  for (const line of undo ? undoLines(reports) : nextLines(found, reports)) process.stderr.write(`${line}\n`)
}

function undoLines(reports: readonly FileReport[]): readonly string[] {
  return reports.length === 0 ? ['No server has a gate that `init` has put before it.'] : []
}

function nextLines({ places, configs, broken }: Found, reports: readonly FileReport[]): readonly string[] {
  if (configs.length + broken.length === 0)
    return [
      'No configuration of an MCP client is there. Looked for:',
      ...places.map(({ file }) => `  ${plain(file)}`),
      'Next: name another with `--config FILE`, or put the gate in by hand: `tollgate help run` shows how.',
    ]
  const changed = reports.filter(({ servers }) => servers.some(({ status }) => status === 'wrapped'))
  if (changed.length === 0) return []
  const shared = changed.filter(({ project }) => project !== undefined)
  return [
    '',
    'Next: read each policy and change what does not fit. Then start the clients again.',
    '`tollgate audit` shows what was decided, `tollgate init --undo` takes the gates off again.',
    ...shared.map(({ file }) => `\`${plain(file)}\` belongs to a project: its paths are now those of this machine.`),
  ]
}
