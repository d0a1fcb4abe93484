/** The gate of `tollgate run`, between a client and its server. stdout belongs to MCP; everything we say goes to stderr. */
import { randomUUID } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import type { Child } from '../mcp/child.ts'
import { relayTo } from '../mcp/stdio.ts'
import type { Principal } from '../model/call.ts'
import { messageOf, TollgateError } from '../model/errors.ts'
import { outcomeDelayMs } from '../model/limits.ts'
import type { Run } from '../model/pack/run.ts'
import type { PolicySet } from '../model/policy.ts'
import { openGateWith } from '../runtime/open.ts'
import { defaultLedgerFile } from '../runtime/paths.ts'
import type { LoadedSet } from '../runtime/policySet.ts'
import { watchPolicy } from '../runtime/watch.ts'
import { takeSignals } from './exit.ts'
import { choiceOf } from './policies.ts'
import type { RunOptions } from './run.ts'
import { paint } from './terminal.ts'

/** The nursery of a gate is small and holds little that lives: to wake other threads for it costs more than they do. */
setFlagsFromString('--no-parallel-scavenge')

/** Until the server ends. `accept` throws on a policy that must not become active here. */
export async function relay(
  child: Promise<Child>,
  loaded: LoadedSet,
  options: RunOptions,
  accept: (policy: PolicySet) => void,
): Promise<void> {
  const { ledger: ledgerFile = defaultLedgerFile(), durability, arguments: argumentsKept } = options
  const later = (work: () => void) => void setTimeout(work, outcomeDelayMs)
  const { gate, ledger } = openGateWith({ ledgerFile, durability, argumentsKept, later, report })
  try {
    const server = options.server ?? ''
    gate.mark('start', server)
    gate.activate(loaded.active())
    const stopWatching = watchPolicy(choiceOf(options), { gate, say, accept })
    const session = options.session ?? randomUUID()
    const run = options.run === undefined ? undefined : await registration(options.run)
    const principal = principalOf(options)
    const relayed = relayTo(await child, { gate, server, principal, session, log: say, ...(run && { run }) })
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

async function registration(file: string): Promise<() => Run | undefined> {
  const { followRun } = await import('../runtime/runFile.ts')
  return followRun(file, say)
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
