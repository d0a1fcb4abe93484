/** `tollgate scan`: a policy to start from, out of what a real server lists. */
import { TollgateError } from '../model/errors.ts'
import { formatDiagnostic } from '../policy/diagnostics.ts'
import { durationMs, durationText } from '../policy/durations.ts'
import { parsePolicy } from '../policy/parse.ts'
import { scanJson } from '../scan/json.ts'
import { serverNameTrouble } from '../scan/keys.ts'
import { type StartingPolicy, startingPolicy } from '../scan/policy.ts'
import { UsageError } from './exit.ts'
import { type NewFile, refuseFile, writeNewFile } from './newFile.ts'
import { listsOf } from './scanLists.ts'
import { nextSteps, summary } from './scanSummary.ts'

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

export function timeoutOf(text: string): number {
  const ms = durationMs(text)
  if (ms !== undefined && ms > 0 && ms <= timeoutMsMax) return ms
  throw new UsageError(`\`--timeout\` must be a duration like \`30s\` or \`2m\`, at most ${durationText(timeoutMsMax)}`)
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
