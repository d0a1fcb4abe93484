/** The library's face: what a program gives and gets. Types only, so that reading them loads nothing. */
import type { Decision } from '../model/decision.ts'

/** What `openGate` needs. `policy` and `ledger` have no default: what decides and what remembers is the caller's choice. */
export interface GateOptions {
  /** The policy: the path of a file, or a text with a name for it. Either may be a bundle, where it is said whom that is believed from. */
  readonly policy: string | PolicyText
  /**
   * The path of the ledger, a SQLite file that is made where there is none. Gates that share it share their limits.
   * `:memory:` forgets what was spent, and every record, when the gate closes.
   */
  readonly ledger: string
  /** Follow the policy file while the gate is open. A bad edit is reported and the old policy stays. False by default. */
  readonly watch?: boolean | undefined
  /**
   * Whom bundles are believed from: the path of a trust file, with keys, how many of them must have signed, and how fresh a
   * bundle must be (`docs/bundles.md`). It is read with each bundle. With it, or with `verifyKeys`, nothing but bundles decides.
   */
  readonly trust?: string | undefined
  /** Public keys in the place of `trust`: the paths of their files, or PEM. A bundle that one of them signed is believed. */
  readonly verifyKeys?: readonly string[] | undefined
  /** Bundles that nobody signed are believed: for tests, and not together with keys. False by default. */
  readonly allowUnsigned?: boolean | undefined
  /** The rule that decides in a bundle of Rego by others, as `authz/allow` (`docs/rego.md`); unless the bundle says it. */
  readonly entrypoint?: string | undefined
  /** The MCP server, as the policy names it, for calls that do not say it themselves. */
  readonly server?: string | undefined
  /** Who calls, for calls that do not say it themselves. */
  readonly principal?: Principal | undefined
  /** What limits `per: session` count by, for calls that do not say it themselves. One random id for the gate by default. */
  readonly session?: string | undefined
  /** The run of a workflow that calls belong to which do not say it themselves: what a policy pack judges by. */
  readonly run?: RunRegistration | undefined
  /**
   * What a recorded decision survives: `process` the end of the process (the default), `power` a power cut as well, at
   * the price of a disk sync for each call.
   */
  readonly durability?: 'process' | 'power' | undefined
  /** How much of a call's arguments the record keeps beside what the policy reads of them. `full` by default. */
  readonly argumentsKept?: 'full' | 'digest' | 'none' | undefined
  /** Milliseconds since 1970. The system's clock by default; time never runs backwards in a ledger, whatever it says. */
  readonly clock?: (() => number) | undefined
  /** Told of what no call can be told: see `Report`. By default what is wrong becomes a Node.js process warning. */
  readonly onReport?: ((report: Report) => void) | undefined
}

/** A policy that is not in a file. */
export interface PolicyText {
  /** What mistakes call it, and part of its revision: `refunds.yaml`, say. */
  readonly name: string
  /** YAML or JSON, or the bytes of a bundle. */
  readonly text: string | Uint8Array
}

/** News of the gate itself: a policy that changed or could not be loaded, a decision that could not be recorded. */
export interface Report {
  /** A sentence, or a few lines of them. */
  readonly message: string
  /** There when something is wrong, and then a person should look. */
  readonly error?: unknown
}

/**
 * A policy and its ledger, open. Everything that can fail here becomes a deny: a call that cannot be read, a policy that
 * cannot decide, a ledger that cannot be written, a gate that is closed.
 */
export interface Gate {
  /** Of the policy that decides now: 64 hexadecimal digits, empty when there is none. */
  readonly revision: string

  /**
   * What the decision would be now. It is recorded as a check; nothing is reserved, so an allow promises nothing: use
   * `call` to act on it. Never throws.
   */
  check<A extends object = JsonObject>(call: CallRequest<A>): Decision

  /**
   * Judges a call, and runs `run` when it is allowed: at once, with a copy of the arguments as they were judged. What
   * the call costs is reserved before `run` starts. When it returns, the call has happened, unless it returns an MCP
   * result with `isError: true`, which gives back what was reserved, as MCP says with it that nothing happened. When it
   * throws, the outcome is unknown and what was reserved stays charged, since `run` may have acted first: throw a
   * `NothingHappened` to have it given back.
   *
   * When the call is stopped while it runs (`kill`, here or elsewhere), `signal` is aborted with the reason: hand it on to
   * what can be broken off. The call is over when `run` is.
   *
   * Rejects with what `run` throws, and with nothing else. A refused call is no error but `allowed: false`.
   */
  call<R, A extends object = JsonObject>(
    call: CallRequest<A>,
    run: (judged: A, decision: Decision, signal: StopSignal) => R | PromiseLike<R>,
  ): Promise<CallOutcome<R>>

  /**
   * Guards a `Client` of an MCP SDK (`@modelcontextprotocol/sdk` 1.x, `@modelcontextprotocol/client` 2.x) before it
   * connects, and returns the same client. Every request that it sends from then on is judged, by whichever method it
   * is made: a refused tool call is a result with `isError: true`, any other refused request rejects with the SDK's own
   * error (code -31403, the decision in `data`). Lists show what the policy lets be used.
   *
   * Throws a `TypeError` for a client that is connected or guarded already, and when no server is named.
   */
  wrapClient<C extends ClientLike>(client: C, options?: GuardOptions): C

  /**
   * Guards an `McpServer` or `Server` of an MCP SDK (`@modelcontextprotocol/sdk` 1.x, `@modelcontextprotocol/server`
   * 2.x) before it connects, and returns the same server. Every request that reaches it is judged before its handlers
   * see it, also those for tools that are registered later; its lists show what the policy lets be used.
   *
   * Throws a `TypeError` for a server that is connected or guarded already, and when no name is given for it.
   */
  guardServer<S extends ServerLike>(server: S, options?: GuardOptions): S

  /**
   * Makes another policy the one that decides, for policies that come from elsewhere than a watched file. Rejects with
   * what `openGate` rejects with, and then the old policy stays. Calls are taken in order.
   */
  activate(policy: string | PolicyText): Promise<void>

  /**
   * Stops a session, an agent, a user, a project, a run, a server, a tool or everything, in every gate that shares the ledger: its next call
   * is refused, and so is every other message of a guarded client or server; what these have under way ends. It stays
   * stopped until somebody lifts it. What is stopped already stays so as it was, and that is given.
   *
   * Throws a `TollgateError`: `kill_invalid`, or `ledger_*` when it could not be written and nothing was stopped.
   */
  kill(target: KillTarget, said: KillSaid): Kill

  /** Lets it go on, by what it stops or by the id of the kill. Throws as `kill` does, and `kill_unknown` for what is not stopped. */
  lift(target: KillTarget | { readonly id: string }, said: KillSaid): Kill

  /** What is stopped now. Throws a `TollgateError` (`ledger_*`). */
  kills(): readonly Kill[]

  /** Calls the listener after every change of policy, also when there is none any more. Returns what ends that. */
  onPolicyChange(listener: () => void): () => void

  /**
   * Closes the ledger; from then on every call is denied. Calls that are still running are recorded as `unknown`, with
   * what they reserved left charged, when the ledger is next opened.
   */
  close(): void
}

/** The `AbortSignal` of the program, where its types have one: some know neither those of Node.js nor of browsers. */
export type StopSignal = typeof globalThis extends { AbortSignal: { prototype: infer Signal } }
  ? Signal
  : { readonly aborted: boolean; readonly reason: unknown }

/** What is stopped: exactly one of these. Names are compared to the letter; that of a tool may be a pattern, `delete_*`. */
export type KillTarget =
  | { readonly session: string }
  | { readonly agent: string }
  | { readonly user: string }
  | { readonly project: string }
  | { readonly run: string }
  | { readonly server: string }
  | { readonly tool: string }
  | { readonly all: true }

export interface KillSaid {
  /** Who says so: the record names them. */
  readonly by: string
  /** Whoever is stopped is told. */
  readonly reason?: string | undefined
}

/** As `tollgate kill list --json` gives it. */
export interface Kill {
  readonly id: string
  readonly target: 'session' | 'agent' | 'user' | 'project' | 'run' | 'server' | 'all' | 'tool'
  /** What is stopped: the member that calls have for it, and no other. */
  readonly session_id?: string
  readonly principal?: Principal
  readonly method?: 'tools/call'
  readonly name?: string
  readonly server?: string
  readonly run_id?: string
  /** RFC 3339, UTC. */
  readonly since: string
  /** Who said so; `policy` where a policy did it. */
  readonly said_by: string
  readonly said_by_known_by: string
  readonly said_by_os_user: string | null
  readonly reason: string | null
  /** The decision that did it, where a policy did. */
  readonly decision_id: string | null
}

/** One call of a tool, one read of a resource, or one use of a prompt. */
export type CallRequest<A extends object = JsonObject> = ToolCall<A> | ResourceRead | PromptGet<A>

export interface ToolCall<A extends object = JsonObject> extends CallContext {
  readonly tool: string
  /**
   * The arguments, `{}` by default. They must be plain JSON: no `undefined`, no dates, no class instances, no numbers
   * beyond JSON. What TypeScript does not see (`unknown`, `any`) is denied as `MALFORMED_CALL` when the call is judged.
   */
  readonly arguments?: (A & JsonOnly<A>) | undefined
  readonly resource?: never
  readonly prompt?: never
}

export interface ResourceRead extends CallContext {
  /** The URI. */
  readonly resource: string
  readonly arguments?: never
  readonly tool?: never
  readonly prompt?: never
}

export interface PromptGet<A extends object = JsonObject> extends CallContext {
  readonly prompt: string
  /** As for a tool. */
  readonly arguments?: (A & JsonOnly<A>) | undefined
  readonly tool?: never
  readonly resource?: never
}

/** Where a call goes and who makes it; what is left out is as `openGate` was told. */
export interface CallContext {
  /** The MCP server as the policy names it. A call without one is denied when `openGate` was given none either. */
  readonly server?: string | undefined
  /** Takes the place of the gate's principal as a whole. */
  readonly principal?: Principal | undefined
  readonly session?: string | undefined
  /** The run of a workflow that the call belongs to. Takes the place of the gate's run as a whole. */
  readonly run?: RunRegistration | undefined
}

/**
 * The run as the host of the agent registers it, or a function that is asked at every call and gives it as it is then;
 * where that throws, or gives nothing, the call belongs to no run.
 */
export type RunRegistration = RunAttributes | (() => RunAttributes | undefined)

/**
 * The attributes that a policy pack judges by (`docs/policies/pack.md`): your own word, never the agent's. What is null,
 * empty or left out is not known.
 */
export interface RunAttributes {
  readonly workflow_id?: string | null | undefined
  readonly agent_id?: string | null | undefined
  /** By default the last part of `agent_id`. */
  readonly agent_class?: string | null | undefined
  readonly run_id?: string | null | undefined
  readonly tool_namespace?: string | null | undefined
  readonly tool_access_mode?: string | null | undefined
  readonly branch_name?: string | null | undefined
  readonly changed_paths?: string | readonly string[] | null | undefined
  readonly diff_line_count?: number | null | undefined
  readonly gate_phase?: string | null | undefined
  readonly maturity_stage?: string | null | undefined
  readonly human_approval_record?: HumanApproval | null | undefined
  readonly change_class?: string | readonly string[] | null | undefined
  readonly change_classes?: string | readonly string[] | null | undefined
  readonly evidence_records?: readonly EvidenceRecord[] | null | undefined
  readonly kill_signal?: KillSignal | undefined
  readonly kill_signals?: KillSignal | undefined
  readonly runtime_kill_signal?: KillSignal | undefined
  readonly runtime_kill_signals?: KillSignal | undefined
  readonly triggered_kill_signal?: KillSignal | undefined
  readonly triggered_kill_signals?: KillSignal | undefined
}

/** All but null, `false` and what is empty ends the session. */
export type KillSignal = string | readonly string[] | boolean | null

/** That a person approved: `status` and `decision` mean the same, and one of them is enough. */
export interface HumanApproval {
  readonly status?: string
  readonly decision?: string
  readonly approver: string
  /** RFC 3339, like the next. */
  readonly approved_at: string
  readonly expires_at: string
  readonly scope: string | readonly string[] | { readonly [member: string]: string }
}

export interface EvidenceRecord {
  readonly id: string
  /** Where it is, or its digest. */
  readonly uri?: string
  readonly sha256?: string
}

/**
 * Who calls, as far as it is known: your own word, never the agent's. Limits count `per` these; callers of whom a field
 * is not known share one count.
 */
export interface Principal {
  readonly agent?: string | undefined
  readonly user?: string | undefined
  readonly project?: string | undefined
  readonly groups?: readonly string[] | undefined
  /** What is known of the caller beside that, as JSON. It stands in the record. */
  readonly claims?: { readonly [claim: string]: unknown } | undefined
}

export type CallOutcome<R> =
  | {
      readonly allowed: true
      readonly decision: Decision
      /** What `run` returned. */
      readonly result: R
    }
  | {
      readonly allowed: false
      /** `deny`, `kill`, or `hold`: then `decision.approval` says what a person has to approve. */
      readonly decision: Decision
    }

/** Where a guarded client or server stands; what is left out is as `openGate` was told. */
export type GuardOptions = CallContext

/** What a `Client` of an MCP SDK has, as far as the gate needs it. */
export interface ClientLike {
  connect(transport: never, ...rest: never[]): Promise<void>
  close(): Promise<void>
  callTool(params: never, ...rest: never[]): Promise<unknown>
}

/** What an `McpServer` or `Server` of an MCP SDK has, as far as the gate needs it. */
export interface ServerLike {
  connect(transport: never, ...rest: never[]): Promise<void>
  close(): Promise<void>
  sendToolListChanged(): unknown
}

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue }

export type JsonObject = { readonly [key: string]: JsonValue }

/** `T` where it is JSON, `never` in the places where it is not. `unknown` passes: it is looked at when the call is judged. */
export type JsonOnly<T> = unknown extends T
  ? T
  : T extends JsonValue
    ? T
    : T extends (...args: never) => unknown
      ? never
      : T extends object
        ? { [K in keyof T]: JsonOnly<T[K]> }
        : never
