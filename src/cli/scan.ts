/** `tollgate scan`: a policy to start from, out of what a real server lists. */
import { TollgateError } from '../model/errors.ts'
import { formatDiagnostic } from '../policy/diagnostics.ts'
import { durationMs, durationText } from '../policy/durations.ts'
import { parsePolicy } from '../policy/parse.ts'
import type { Scan } from '../scan/definition.ts'
import { scanJson } from '../scan/json.ts'
import { serverNameTrouble } from '../scan/keys.ts'
import { type StartingPolicy, startingPolicy } from '../scan/policy.ts'
import { takeSignals, UsageError } from './exit.ts'
import { type NewFile, refuseFile, writeNewFile } from './newFile.ts'
import type { EndReason } from './scanServer.ts'
import { ServerStderr } from './scanStderr.ts'
import { nextSteps, summary } from './scanSummary.ts'
import { paint } from './terminal.ts'

export interface ScanOptions {
  readonly output?: string
  readonly force?: true
  readonly server?: string
  readonly timeout: string
  readonly json?: true
  readonly verbose?: true
}

export async function scan([command, ...args]: readonly string[], options: ScanOptions): Promise<void> {
  if (command === undefined) throw new UsageError('the server to scan is missing: put its command after `--`')
  const { output, server, json } = options
  const timeoutMs = timeoutOf(options.timeout)
  const trouble = server === undefined ? undefined : serverNameTrouble(server)
  if (trouble !== undefined) throw new UsageError(`\`--server\` must be a name as policies have it: ${trouble}`)
  const target = output === undefined || output === '-' ? undefined : { file: output, force: options.force === true }
  if (target) refuseFile(target)
  const found = await listsOf({ command, args, timeoutMs, verbose: options.verbose === true })
  const date = new Date().toISOString().slice(0, 10)
  const policy = startingPolicy(found, { date, ...(server !== undefined && { server }) })
  if (json) {
    write(target, scanJson(found, policy.warnings))
    return
  }
  requireValid(policy)
  write(target, policy.text)
  process.stderr.write(`${summary(found, policy)}\n`)
  process.stderr.write(nextSteps({ command: [command, ...args], file: target?.file, server }))
}

/** Long enough for `npx` to fetch a server, short enough to be waited for. */
const timeoutMsMax = 3_600_000

function timeoutOf(text: string): number {
  const ms = durationMs(text)
  if (ms !== undefined && ms > 0 && ms <= timeoutMsMax) return ms
  throw new UsageError(`\`--timeout\` must be a duration like \`30s\` or \`2m\`, at most ${durationText(timeoutMsMax)}`)
}

interface Started {
  readonly command: string
  readonly args: readonly string[]
  readonly timeoutMs: number
  readonly verbose: boolean
}

/** What the server wrote to stderr comes before the error, where its cause most likely stands. */
async function listsOf({ command, args, timeoutMs, verbose }: Started): Promise<Scan> {
  // The MCP client is loaded only when there is something to ask.
  const { scanServer } = await import('./scanServer.ts')
  const stderr = new ServerStderr({ show: verbose })
  const end = new AbortController()
  const endFor = (reason: EndReason) => () => end.abort(reason)
  const timer = setTimeout(endFor('timeout'), timeoutMs)
  const interrupt = endFor('interrupt')
  for (const signal of interrupts) process.on(signal, interrupt)
  takeSignals()
  const progress = progressOn(process.stderr, verbose)
  try {
    return await scanServer({ command, args, timeoutMs, signal: end.signal, listen: () => stderr.listen(), progress })
  } catch (error) {
    progress('')
    for (const line of stderr.lastLines()) process.stderr.write(`${paint('dim', `server: ${line}`, process.stderr)}\n`)
    throw error
  } finally {
    progress('')
    clearTimeout(timer)
    for (const signal of interrupts) process.off(signal, interrupt)
  }
}

const interrupts: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP']

/** One line that is written over, on a terminal; nothing anywhere else. */
function progressOn(stream: NodeJS.WriteStream, verbose: boolean): (doing: string) => void {
  if (!stream.isTTY || verbose) return () => undefined
  return (doing) => stream.write(`\r\u001b[2K${doing === '' ? '' : paint('dim', doing, stream)}`)
}

/** A policy that `check` would refuse is not given to anybody. */
function requireValid({ text }: StartingPolicy): void {
  const mistake = parsePolicy({ file: 'policy.yaml', text }).diagnostics.find(({ severity }) => severity === 'error')
  if (mistake)
    throw new TollgateError('scan_failed', `no valid policy came out, please report it: ${formatDiagnostic(mistake)}`)
}

function write(target: NewFile | undefined, text: string): void {
  if (target) writeNewFile(target, text)
  else process.stdout.write(text)
}
