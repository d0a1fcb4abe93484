/** A policy for each server: one that is named, one that is there, or one that a scan of the server gives. */
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, resolve, sep } from 'node:path'
import { parseEnv } from 'node:util'
import type { Place } from '../init/clients.ts'
import type { Start } from '../init/entries.ts'
import { secretArguments, withoutSecrets } from '../init/secrets.ts'
import { expanded, type Surroundings } from '../init/variables.ts'
import { messageOf, TollgateError } from '../model/errors.ts'
import { formatDiagnostic } from '../policy/diagnostics.ts'
import { parsePolicy } from '../policy/parse.ts'
import { loadPolicyFile, readPolicyFile } from '../runtime/policyFile.ts'
import type { Group } from '../scan/definition.ts'
import { startingPolicy } from '../scan/policy.ts'
import { writeNewFile } from './newFile.ts'
import { listsOf } from './scanLists.ts'

export interface PolicyPlan {
  readonly file: string
  /** Absent: the file is there. */
  readonly text?: string
  /** Of a server that was scanned: its tools by group, and what its operator should know. */
  readonly counts?: Readonly<Record<Group, number>>
  readonly warnings?: readonly string[]
}

type Scanned = Required<Omit<PolicyPlan, 'file'>>

export interface Subject {
  readonly label: string
  readonly client: Place['client']
  readonly project: string | undefined
  readonly start: Start
  readonly policyFile: string
}

export interface PolicyOptions {
  readonly home: string
  readonly timeoutMs: number
  /** A server without a policy is an error. */
  readonly noScan: boolean
  /** Nothing may be written, not even what compiling keeps. */
  readonly dryRun: boolean
}

export class Policies {
  readonly #options: PolicyOptions
  /** Clients often name the same server: it is started once. */
  readonly #scans = new Map<string, Promise<Scanned>>()

  constructor(options: PolicyOptions) {
    this.#options = options
  }

  /** Throws what keeps the server from having a policy. Nothing is written yet. */
  async planFor(subject: Subject): Promise<PolicyPlan> {
    const { policyFile: file } = subject
    if (existsSync(file)) {
      await this.#requireGood(file, readPolicyFile(file))
      return { file }
    }
    if (this.#options.noScan)
      throw new TollgateError(
        'policy_missing',
        `there is no policy \`${file}\`: write it, or let the server be scanned`,
      )
    const command = commandOf(subject, this.#options.home)
    const key = JSON.stringify(command)
    const scan = this.#scans.get(key) ?? this.#scan(subject, command)
    this.#scans.set(key, scan)
    return { file, ...(await scan) }
  }

  async #scan({ label, start, policyFile }: Subject, command: Command): Promise<Scanned> {
    const { timeoutMs } = this.#options
    const secrets = [...Object.values(command.own), ...secretArguments(start.args), ...secretArguments(command.args)]
    const env = { ...process.env, ...command.own }
    for (const name of command.removed) delete env[name]
    const { command: file, args, cwd } = command
    const shown = (line: string) => withoutSecrets(line, secrets)
    try {
      const found = await listsOf({ command: file, args, cwd, env, timeoutMs, verbose: false, label, shown })
      const policy = startingPolicy(found, { date: new Date().toISOString().slice(0, 10) })
      await this.#requireGood(policyFile, policy.text)
      return policy
    } catch (error) {
      if (!(error instanceof TollgateError)) throw error
      throw Object.assign(error, { message: shown(error.message) })
    }
  }

  /** What `check` would refuse is given to nobody. */
  async #requireGood(file: string, text: string | Uint8Array): Promise<void> {
    // By its name, as `run` reads it: what is compiled here is found there.
    const { policy, diagnostics } = parsePolicy({ file: basename(file), text })
    const mistake = diagnostics.find(({ severity }) => severity === 'error')
    if (mistake) throw new TollgateError('policy_invalid', formatDiagnostic({ ...mistake, file }))
    if (!policy || this.#options.dryRun) return
    const { compilePolicy } = await import('../bundle/build.ts')
    await compilePolicy(policy, [])
  }
}

/** Writes what was planned. From here on `run` starts with it. */
export async function writePolicy({ file, text }: PolicyPlan): Promise<void> {
  if (text === undefined) return
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw new TollgateError('output_unwritable', `\`${file}\` cannot be written: ${messageOf(cause)}`, { cause })
  }
  writeNewFile({ file, force: false }, text)
  await loadPolicyFile(file)
}

interface Command {
  readonly command: string
  readonly args: readonly string[]
  readonly cwd: string
  /** Variables of the entry. */
  readonly own: Readonly<Record<string, string>>
  readonly removed: readonly string[]
}

/** The command as the client would start it. */
function commandOf({ client, project, start }: Subject, home: string): Command {
  const around: Surroundings = { home, env: process.env, separator: sep, ...(project !== undefined && { project }) }
  const fill = (text: string) => {
    const filled = expanded(text, client, around)
    if (filled.text !== undefined) return filled.text
    throw new TollgateError(
      'scan_failed',
      `only its client knows what \`${filled.missing}\` is: write its policy first`,
    )
  }
  const folder = resolve(project ?? home, start.cwd === undefined ? '.' : fill(start.cwd))
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    throw new TollgateError('spawn_failed', `its folder \`${folder}\` is not there`)
  const entries = Object.entries(start.env)
  const own = entries.flatMap(([name, value]) => (value === null ? [] : [[name, fill(value)] as const]))
  return {
    command: fill(start.command),
    args: start.args.map(fill),
    cwd: folder,
    own: {
      ...(start.envFile !== undefined && envIn(resolve(folder, fill(start.envFile)))),
      ...Object.fromEntries(own),
    },
    removed: entries.flatMap(([name, value]) => (value === null ? [name] : [])),
  }
}

function envIn(file: string): Readonly<Record<string, string>> {
  try {
    return Object.fromEntries(
      Object.entries(parseEnv(readFileSync(file, 'utf8'))).map(([key, value]) => [key, value ?? '']),
    )
  } catch (cause) {
    throw new TollgateError('scan_failed', `its \`envFile\` cannot be read: ${messageOf(cause)}`, { cause })
  }
}
