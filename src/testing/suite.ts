/** What a test file asks, in the words of no language: cases, each of which begins with an empty ledger and goes step by step. */
import type { Call } from '../model/call.ts'
import type { Json } from '../model/canonical.ts'
import type { KillTarget } from '../model/kill.ts'
import type { PolicyChoice } from '../runtime/policySet.ts'

/** Where something stands in a file that people wrote; both count from 1. */
export interface Place {
  readonly file: string
  readonly line: number
  readonly col: number
}

/** The cases of one file about one policy, which is compiled once for all of them. */
export interface Suite {
  /** As the command was given it, or found it. */
  readonly file: string
  readonly kind: 'cases' | 'aegis'
  readonly policy: PolicyChoice
  readonly cases: readonly Case[]
}

export interface Case {
  /** Of a cell of a matrix: the name of the matrix, the principal and the tool, with ` / ` between them. */
  readonly name: string
  readonly at: Place
  /** Why it is not run. */
  readonly skip?: string
  /** In their order; their times never decrease. */
  readonly steps: readonly Step[]
}

export type Step = CallStep | ListStep | AnswerStep | KillStep

interface CommonStep {
  readonly at: Place
  /** Milliseconds since 1970. */
  readonly timeMs: number
}

/** A call that is judged, and counts as executed where it is allowed. */
export interface CallStep extends CommonStep {
  readonly kind: 'call'
  readonly call: Call
  /** So often, one after the other; each is to be decided as expected. */
  readonly times: number
  /** How the call ends where it is allowed: an `error` gives back what was reserved. */
  readonly outcome: 'success' | 'error' | 'unknown'
  /** It is what the case starts from: a call that is not allowed makes the case impossible. */
  readonly isFact: boolean
  readonly expect: readonly Expected[]
}

/** The server shows a list, and the gate passes on what the caller may see of it. */
export interface ListStep extends CommonStep {
  readonly kind: 'list'
  readonly list: 'tools' | 'resources' | 'prompts'
  /** Definitions as servers give them; `names` has what each is called. */
  readonly items: readonly { readonly [key: string]: Json }[]
  readonly names: readonly string[]
  readonly asked: Pick<Call, 'server' | 'principal' | 'session'>
  readonly expect: readonly Expected[]
}

/** A person answers what was asked last. */
export interface AnswerStep extends CommonStep {
  readonly kind: 'approve' | 'reject'
  readonly by: string
}

/** A person stops something, or lets it go on. */
export interface KillStep extends CommonStep {
  readonly kind: 'kill' | 'lift'
  readonly target: KillTarget
}

/** One member of what is expected, by the words that the file has for it: `decision`, `reserved`, `layers` / `org` / `rule`. */
export interface Expected {
  readonly path: readonly string[]
  /** `null`: it is not there. */
  readonly value: Json
  readonly at: Place
}
