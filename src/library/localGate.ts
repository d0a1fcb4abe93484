/** The gate of the library: the same enforcement point, ledger and records as those of the commands, in this process. */
import type { Artifact } from '../bundle/artifact.ts'
import type { SqliteLedger } from '../ledger/ledger.ts'
import { killView } from '../log/kills.ts'
import { outcomeOf } from '../mcp/results.ts'
import type { Call } from '../model/call.ts'
import type { Decision } from '../model/decision.ts'
import { messageOf } from '../model/errors.ts'
import { Changes } from '../pep/changes.ts'
import type { Gate as EnforcementPoint } from '../pep/gate.ts'
import type { Outcome, Refusal } from '../pep/gatekeeper.ts'
import { Kills } from '../pep/kills.ts'
import type { TrustNow } from '../runtime/bundleFile.ts'
import { orderedId } from '../runtime/ids.ts'
import { type OpenGate, openGateWith } from '../runtime/open.ts'
import { activePolicy, loadPolicyFiles, loadPolicyText } from '../runtime/policyFile.ts'
import { activationFailure, watchPolicy } from '../runtime/watch.ts'
import { Connection } from './connection.ts'
import { connectableOf, guardConnections } from './guard.ts'
import { killTargetOf, saidOf } from './kills.ts'
import { NothingHappened } from './nothingHappened.ts'
import { requirePolicy, type Settings, withContext } from './options.ts'
import { failures, type Reporter } from './report.ts'
import { readRequest } from './request.ts'
import type { Registration } from './run.ts'
import { trustNowOf } from './trust.ts'
import type {
  CallOutcome,
  CallRequest,
  ClientLike,
  Gate,
  GuardOptions,
  JsonObject,
  Kill,
  KillSaid,
  KillTarget,
  PolicyText,
  ServerLike,
  StopSignal,
} from './types.ts'

export async function openLocalGate(settings: Settings): Promise<Gate> {
  const { ledgerFile, durability, argumentsKept, clock, policy, watch, report } = settings
  const opened = openGateWith({
    ledgerFile,
    durability,
    argumentsKept,
    ...(clock && { clock }),
    report: failures(report),
  })
  const gate = new LocalGate(settings, opened)
  try {
    gate.start()
    // Watched from before it is read: no edit falls between the two.
    if (watch) gate.watch(policy as string)
    await recordingFailure(opened.gate, policy, async () => {
      const artifact = await loadPolicy(policy, gate.trust)
      if (gate.revision === '') opened.gate.activate(activePolicy(artifact))
    })
    return gate
  } catch (error) {
    gate.close()
    throw error
  }
}

/** With keys nothing but bundles decides. */
async function loadPolicy(policy: string | PolicyText, trust: TrustNow | undefined): Promise<Artifact> {
  return typeof policy === 'string'
    ? loadPolicyFiles([policy], { bundlesOnly: true, ...(trust && { trust }) })
    : loadPolicyText(policy.name, policy.text, trust)
}

/** What a policy was not activated for is the program's to know, and the record's. */
async function recordingFailure(gate: EnforcementPoint, policy: string | PolicyText, work: () => Promise<void>) {
  try {
    await work()
  } catch (error) {
    const failure = await activationFailure([typeof policy === 'string' ? policy : policy.name], error)
    if (!failure.code.startsWith('ledger_')) gate.notActivated(failure)
    throw error
  }
}

class LocalGate implements Gate {
  readonly trust: TrustNow | undefined
  readonly #settings: Settings
  readonly #gate: EnforcementPoint
  readonly #ledger: SqliteLedger
  readonly #connections = new Set<Connection>()
  readonly #running = new Set<{ readonly call: Call; readonly stop: AbortController }>()
  readonly #guarded = new WeakSet<object>()
  readonly #listeners = new Set<() => void>()
  #activations: Promise<void> = Promise.resolve()
  #stopWatching = () => {}
  readonly #kills: Changes
  readonly #switch: Kills
  #closed = false

  constructor(settings: Settings, { gate, ledger, describe }: OpenGate) {
    this.trust = trustNowOf(settings.trust, settings.report)
    this.#settings = settings
    this.#gate = gate
    this.#ledger = ledger
    this.#switch = new Kills({ ledger, describe, newId: orderedId, changed: () => gate.killsChanged() })
    this.#kills = new Changes({ version: () => ledger.killsVersion(), report: failures(settings.report) })
    gate.onPolicyChange(() => this.#policyChanged())
    gate.onKill(() => this.#endStopped())
  }

  get revision(): string {
    return this.#gate.revision
  }

  check<A extends object = JsonObject>(request: CallRequest<A>): Decision {
    const read = readRequest(request, this.#settings.caller)
    return read.ok ? this.#gate.check(read.call) : this.#refused(read.refusal)
  }

  async call<R, A extends object = JsonObject>(
    request: CallRequest<A>,
    run: (judged: A, decision: Decision, signal: StopSignal) => R | PromiseLike<R>,
  ): Promise<CallOutcome<R>> {
    if (typeof run !== 'function') throw new TypeError('`gate.call` needs the function that makes the call')
    const read = readRequest(request, this.#settings.caller)
    if (!read.ok) return { allowed: false, decision: this.#refused(read.refusal) }
    const [decision] = this.#gate.admit([read.call]) as readonly [Decision]
    if (decision.decision !== 'allow') return { allowed: false, decision }
    // The arguments are a copy, part by part, of what was given as an `A`.
    const running = { call: read.call, stop: new AbortController() }
    this.#running.add(running)
    this.#kills.start(() => this.#gate.killsChanged())
    try {
      const result = await this.#settled(decision, () => run(read.call.arguments as A, decision, running.stop.signal))
      return { allowed: true, decision, result }
    } finally {
      this.#running.delete(running)
    }
  }

  wrapClient<C extends ClientLike>(client: C, options: GuardOptions = {}): C {
    this.#guard(client, 'client', options)
    return client
  }

  guardServer<S extends ServerLike>(server: S, options: GuardOptions = {}): S {
    this.#guard(server, 'server', options)
    return server
  }

  activate(policy: string | PolicyText): Promise<void> {
    const wanted = requirePolicy(policy)
    const activate = () =>
      recordingFailure(this.#gate, wanted, async () =>
        this.#gate.activate(activePolicy(await loadPolicy(wanted, this.trust))),
      )
    const activated = this.#activations.then(activate)
    this.#activations = activated.catch(() => {})
    return activated
  }

  kill(target: KillTarget, said: KillSaid): Kill {
    return killView(this.#switch.kill(killTargetOf(target), saidOf(said)).kill)
  }

  lift(target: KillTarget | { readonly id: string }, said: KillSaid): Kill {
    const name = 'id' in target ? { id: target.id } : killTargetOf(target)
    return killView(this.#switch.lift(name, saidOf(said)))
  }

  kills(): readonly Kill[] {
    return this.#ledger.kills().map(killView)
  }

  start(): void {
    this.#gate.mark('start', this.#settings.caller.server ?? '')
  }

  watch(file: string): void {
    const say = (message: string, error?: unknown) => {
      // What is under way when the gate closes comes to nothing, and that is no news.
      if (!this.#closed) this.#settings.report({ message, ...(error !== undefined && { error }) })
    }
    const choice = { files: [file], bundlesOnly: true, ...(this.trust && { trust: this.trust }) }
    this.#stopWatching = watchPolicy(choice, { gate: this.#gate, say }).stop
  }

  onPolicyChange(listener: () => void): () => void {
    // One of its own for each call: the same listener given twice is two.
    const own = () => listener()
    this.#listeners.add(own)
    return () => this.#listeners.delete(own)
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#stopWatching()
    this.#kills.stop()
    if (this.revision !== '') this.#gate.deactivate('the gate was closed')
    try {
      this.#gate.mark('stop', this.#settings.caller.server ?? '')
    } catch (error) {
      failures(this.#settings.report)(error)
    } finally {
      this.#ledger.close()
    }
  }

  #refused(refusal: Refusal): Decision {
    return this.#gate.refuse([refusal])[0] as Decision
  }

  /** Runs the user's function; how it ends is recorded, and what it throws is the user's. */
  async #settled<R>({ decision_id: decisionId }: Decision, run: () => R | PromiseLike<R>): Promise<R> {
    try {
      const result = await run()
      this.#gate.settle([{ decisionId, ...outcomeOf({ result }) }])
      return result
    } catch (error) {
      this.#gate.settle([{ decisionId, ...failureOf(error) }])
      throw error
    }
  }

  #guard(sdkObject: ClientLike | ServerLike, side: 'client' | 'server', options: GuardOptions): void {
    const { server, principal, session, run } = withContext(this.#settings.caller, options)
    if (server === undefined) throw new TypeError(`\`server\` is missing: name the MCP server, here or in \`openGate\``)
    const connectable = connectableOf(sdkObject)
    if (connectable === undefined) throw new TypeError(`this is no ${side} of an MCP SDK: it has no \`connect\``)
    if (this.#guarded.has(connectable))
      throw new TypeError(`the ${side} is guarded already: its calls would count twice`)
    if (connectable.transport !== undefined)
      throw new TypeError(`guard the ${side} before it connects: what passed until now was not judged`)
    this.#guarded.add(connectable)
    this.#kills.start(() => this.#gate.killsChanged())
    const { report } = this.#settings
    const caller = { server, principal, session, run: reporting(run, report) }
    const parts = { gate: this.#gate, side, ...caller, report, open: this.#connections }
    guardConnections(connectable, (wire) => new Connection(wire, parts))
  }

  #policyChanged(): void {
    const tells = [...this.#connections].map((connection) => () => connection.policyChanged())
    this.#tell([...tells, ...this.#listeners], 'the policy changed')
  }

  #endStopped(): void {
    for (const { call, stop } of this.#running) {
      const stopped = this.#gate.stopped(call)
      if (stopped) stop.abort(new Error(`stopped: ${stopped.message}`))
    }
    const tells = [...this.#connections].map((connection) => () => connection.endStopped())
    this.#tell(tells, 'somebody was stopped')
  }

  /** Who cannot be told keeps nobody else from being told. */
  #tell(tells: readonly (() => void)[], what: string): void {
    for (const tell of tells) {
      try {
        tell()
      } catch (error) {
        this.#settings.report({ message: `${what}, and who was told of it failed: ${messageOf(error)}`, error })
      }
    }
  }
}

/** A call whose run is not known belongs to none. */
function reporting(run: Registration, report: Reporter): Registration {
  return () => {
    try {
      return run()
    } catch (error) {
      report({ message: `the call belongs to no run: ${messageOf(error)}`, error })
      return undefined
    }
  }
}

/** A function that threw may have acted first: only its own word says that it did not. */
function failureOf(error: unknown): Omit<Outcome, 'decisionId'> {
  if (error instanceof NothingHappened) return { status: 'error', detail: `nothing happened: ${error.message}` }
  return { status: 'unknown', detail: 'the function threw' }
}
