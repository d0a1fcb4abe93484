/** A call as the gate judges it, and what it becomes for the policy. */
import type { Json } from './canonical.ts'
import type { Run, RunFacts } from './pack/run.ts'
import type { Method } from './policy.ts'

/** Who calls, as far as it is known. Every field comes from the operator's side, never from the agent. */
export interface Principal {
  readonly agent?: string
  readonly user?: string
  readonly project?: string
  /** Groups of the caller, each once and sorted; absent: nobody knows them. */
  readonly groups?: readonly string[]
  /** What the operator asked to be kept of a credential that was verified. */
  readonly claims?: { readonly [claim: string]: Json }
}

export interface Call {
  readonly method: Method
  /** The method on the wire, where it is judged as another one: a subscription is judged as a read. */
  readonly asked?: string
  readonly server: string
  /** Tool name, prompt name, or resource URI. */
  readonly name: string
  /** The arguments object; `{}` where the call has none. */
  readonly arguments: { readonly [key: string]: Json }
  readonly principal: Principal
  readonly session: string
  /** The whole params of the request, where they say more than the name and the arguments. The policy sees none of it. */
  readonly params?: { readonly [key: string]: Json }
  /** The run of a workflow that the call belongs to, as the host of the agent registered it. */
  readonly run?: Run
  /** Headers in which the caller says to which trace the call belongs. Nothing is decided by them. */
  readonly trace?: { readonly traceparent?: unknown; readonly tracestate?: unknown }
  /** The decision that held it, where it was kept open and is judged again. */
  readonly held?: string
  /** The span of the call in the traces of this gate, for the record. */
  readonly span?: { readonly trace_id: string; readonly span_id: string }
}

/** What the ledger knew when the call was judged: used calls or micro-units, by counter id. */
export type Facts = Readonly<Record<string, number>>

/** The same by layer: what one counts is not what another counts under the same id. */
export type LayeredFacts = Readonly<Record<string, Facts>>

/** What holds a call and was approved by persons: ids of `src/model/holds.ts`, in their order. */
export type Approved = readonly string[]

/** The same by layer: what was asked for one is not asked for another. */
export type LayeredApproved = Readonly<Record<string, Approved>>

/**
 * The input document: all that the policy sees, and so all that a decision can depend on. It is serialised by RFC 8785,
 * hashed, evaluated, and stored with the record, as the same bytes.
 */
export interface Input<F = Facts, R = RunFacts, A = Approved> {
  /** Version of this shape. */
  readonly v: 1
  readonly method: Method
  readonly server: string
  /** Exactly one of these three. */
  readonly tool?: string
  readonly resource?: string
  readonly prompt?: string
  /** The arguments that the policy reads of this target, and no others. */
  readonly arguments: Json
  /** Micro-units of each amount that could be read, by the path of its argument. */
  readonly amounts: Readonly<Record<string, number>>
  readonly facts: F
  readonly principal: Principal
  /** What was approved of this call, where it would be held otherwise. */
  readonly approved?: A
  /** What is known of the run; only where the policy asks for it. */
  readonly run?: R
  readonly session: string
  /** Arguments as the text that Python makes of them; only where the policy asks for it. */
  readonly texts?: Readonly<Record<string, string>>
  /** RFC 3339, UTC, milliseconds. */
  readonly time: string
  /** Words of the call that the policy looks for; only where it does. */
  readonly words?: Readonly<Record<string, true>>
}

/** The one document of a call that several layers judge: `src/model/layers.ts` derives the input of each from it. */
export type LayeredInput = Input<LayeredFacts, LayeredRuns, LayeredApproved>

/** What each layer that asks for it knows of the run: what a tool does is the word of its policy. */
export type LayeredRuns = Readonly<Record<string, RunFacts>>
