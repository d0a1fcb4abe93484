/** `tollgate run`: a stdio MCP server behind a policy. stdout belongs to MCP; everything we say goes to stderr. */
import { randomUUID } from 'node:crypto'
import type { Artifact } from '../bundle/artifact.ts'
import { type Child, startChild } from '../mcp/child.ts'
import { relayTo } from '../mcp/stdio.ts'
import type { Principal } from '../model/call.ts'
import { messageOf, TollgateError } from '../model/errors.ts'
import { outcomeDelayMs } from '../model/limits.ts'
import type { Policy } from '../model/policy.ts'
import { serverNamed } from '../model/strategy.ts'
import { openGateWith } from '../runtime/open.ts'
import { defaultLedgerFile } from '../runtime/paths.ts'
import { activePolicy } from '../runtime/policyFile.ts'
import { watchPolicy } from '../runtime/watch.ts'
import { endOnSignals, takeSignals, UsageError } from './exit.ts'
import { loadPolicy } from './policies.ts'
import { paint } from './terminal.ts'

export interface RunOptions {
  readonly config: string
  readonly server?: string
  readonly agent?: string
  readonly user?: string
  readonly project?: string
  readonly session?: string
  readonly ledger?: string
  readonly durability: 'process' | 'power'
  readonly arguments: 'full' | 'digest' | 'none'
}

export async function run([command, ...args]: readonly string[], options: RunOptions): Promise<void> {
  if (command === undefined) throw new UsageError('the server to wrap is missing: put its command after `--`')
  const artifact = await loadPolicy(options.config)
  requireServerName(artifact.policy, options.server)
  // The policy is good: the server starts while the gate is put together. Nothing reaches it before the gate stands.
  const child = startChild({ command, args })
  // Until the relay passes signals on: whoever is told to end while it starts takes the server along.
  endOnSignals(async (signal) => (await child).kill(signal))
  try {
    await relay(child, artifact, options)
  } catch (error) {
    child.then((started) => started.kill('SIGKILL')).catch(() => {}) // nobody has asked it anything yet
    throw error
  }
}

async function relay(child: Promise<Child>, artifact: Artifact, options: RunOptions): Promise<void> {
  const { ledger: ledgerFile = defaultLedgerFile(), durability, arguments: argumentsKept } = options
  const later = (work: () => void) => void setTimeout(work, outcomeDelayMs)
  const { gate, ledger } = openGateWith({ ledgerFile, durability, argumentsKept, later, report })
  try {
    const server = options.server ?? ''
    gate.mark('start', server)
    gate.activate(activePolicy(artifact))
    const accept = (next: Policy) => requireServerName(next, options.server)
    const stopWatching = watchPolicy(options.config, { gate, say, accept })
    const session = options.session ?? randomUUID()
    const relayed = relayTo(await child, { gate, server, principal: principalOf(options), session, log: say })
    takeSignals()
    const { code } = await relayed
    stopWatching()
    process.exitCode = code
    gate.mark('stop', server)
  } finally {
    gate.flush()
    ledger.close()
  }
}

/** A policy that speaks of servers by name must be told which one this is: a guess could disarm a rule. */
function requireServerName(policy: Policy, server: string | undefined): void {
  if (server !== undefined) return
  const named = serverNamed(policy)
  if (named !== undefined)
    throw new UsageError(
      `the policy speaks of servers by name (\`${named}\`): say which one this is with \`--server NAME\``,
    )
}

function principalOf({ agent, user, project }: RunOptions): Principal {
  return { ...(agent && { agent }), ...(user && { user }), ...(project && { project }) }
}

function say(sentence: string): void {
  for (const line of sentence.split('\n'))
    process.stderr.write(`${paint('cyan', 'tollgate:', process.stderr)} ${line}\n`)
}

function report(error: unknown): void {
  say(error instanceof TollgateError ? `${error.message} (${error.code})` : messageOf(error))
}
