/** A gate for as long as a command works with it: its policy is followed, and the record knows when it starts and stops. */
import type { Principal } from '../model/call.ts'
import { messageOf } from '../model/errors.ts'
import { outcomeDelayMs } from '../model/limits.ts'
import type { Run } from '../model/pack/run.ts'
import type { PolicySet } from '../model/policy.ts'
import { readPrincipal } from '../model/principal.ts'
import { Answers } from '../pep/answers.ts'
import { Changes } from '../pep/changes.ts'
import type { Gate } from '../pep/gate.ts'
import { type OpenGate, openGateWith } from '../runtime/open.ts'
import { defaultLedgerFile } from '../runtime/paths.ts'
import type { Watching } from '../runtime/watch.ts'
import { UsageError } from './exit.ts'
import { type LogOptions, report, say } from './log.ts'
import type { FeedOptions, PolicyFeed } from './policyFeed.ts'

/** What all commands with a gate between a client and a server take. */
export interface GateOptions extends FeedOptions, LogOptions {
  readonly server?: string
  readonly agent?: string
  readonly user?: string
  readonly project?: string
  readonly group?: readonly string[]
  /** The file in which the host registers the run. */
  readonly run?: string
  readonly approvalWait?: string
  /** Where persons answer with a browser. */
  readonly adminUrl?: string
  readonly ledger?: string
  readonly durability: 'process' | 'power'
  readonly arguments: 'full' | 'digest' | 'none'
}

export interface Opening {
  readonly feed: PolicyFeed
  readonly options: GateOptions
  /** The servers behind it, as the policy knows them. */
  readonly servers: readonly string[]
  /** Throws on a policy that must not become active here. */
  readonly accept: (policy: PolicySet) => void
}

/** How held calls wait for persons. */
export interface Waiting {
  readonly answers: Answers
  readonly approvalWaitMs?: number
  readonly approvalPage?: (id: string) => string
}

export async function withGate(
  opening: Opening,
  work: (gate: Gate, waiting: Waiting, opened: OpenGate & Pick<Watching, 'reload'>) => Promise<void>,
): Promise<void> {
  const { feed, options, servers, accept } = opening
  const { durability, arguments: argumentsKept } = options
  const waits = await waitsOf(options)
  const later = (flush: () => void) => void setTimeout(flush, outcomeDelayMs)
  const opened = openGateWith({ ledgerFile: ledgerFileOf(options), durability, argumentsKept, later, report })
  const { gate, ledger, instance } = opened
  const kills = new Changes({ version: () => ledger.killsVersion(), report })
  const pinsVersion = () => (gate.isPinning ? ledger.pinsVersion() : '')
  const pins = new Changes({ version: pinsVersion, report })
  try {
    for (const server of servers) gate.mark('start', server)
    gate.activate(feed.loaded.active())
    feed.started?.()
    const watching = feed.follow({ gate, say, accept, instance })
    const onPolicyChange = (listener: () => void) => {
      gate.onPolicyChange(listener)
      gate.onKill(listener)
    }
    const answers = new Answers({ ledger, onPolicyChange, report })
    kills.start(() => gate.killsChanged())
    pins.start(() => gate.pinsChanged(), pinsVersion())
    await work(gate, { answers, ...waits }, { ...opened, reload: watching.reload })
    answers.end()
    watching.stop()
    for (const server of servers) gate.mark('stop', server)
  } finally {
    kills.stop()
    pins.stop()
    gate.flush()
    ledger.close()
  }
}

export function ledgerFileOf({ ledger = defaultLedgerFile() }: GateOptions): string {
  return ledger
}

/** The run that calls belong to, as its host has registered it by now. */
export async function registrationOf({ run }: GateOptions): Promise<(() => Run | undefined) | undefined> {
  if (run === undefined) return undefined
  const { followRun } = await import('../runtime/runFile.ts')
  return followRun(run, say)
}

/** Throws a `UsageError`. */
async function waitsOf({ approvalWait, adminUrl }: GateOptions): Promise<Omit<Waiting, 'answers'>> {
  if (approvalWait === undefined && adminUrl === undefined) return {}
  const { approvalWaitOf, pageOf } = await import('./approvalWait.ts')
  return {
    ...(approvalWait !== undefined && { approvalWaitMs: approvalWaitOf(approvalWait) }),
    ...(adminUrl !== undefined && { approvalPage: pageOf(adminUrl) }),
  }
}

/** Throws a `UsageError` for names that nobody can have. */
export function principalOf({ agent, user, project, group }: GateOptions): Principal {
  const groups = group ?? process.env['TOLLGATE_GROUPS']?.split(',').filter((name) => name !== '')
  try {
    return readPrincipal({
      ...(agent && { agent }),
      ...(user && { user }),
      ...(project && { project }),
      ...(groups && { groups }),
    })
  } catch (error) {
    throw new UsageError(`who calls cannot be so: ${messageOf(error)}`)
  }
}
