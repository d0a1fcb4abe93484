/**
 * The closed policy model: every front end parses into it, the code generator and the reference evaluator read it.
 * It is plain JSON, so that a compiled policy carries it and a record can be explained years later.
 */
import type { RiskLevel } from './decision.ts'
import type { FirstPolicy } from './ordered.ts'
import type { PackPolicy } from './pack/policy.ts'
import type { Pinning } from './pinning.ts'
import type { RegoPolicy } from './rego.ts'

/** Where something stands in a policy file; lines and columns count from 1. */
export interface Place {
  readonly file: string
  readonly line: number
  readonly col: number
}

/** What decides, by its strategy; `src/model/strategy.ts` has what is asked of any of them. */
export type Policy = ModelledPolicy | RegoPolicy

/** A policy whose meaning is in the model: it can be explained, compared and measured. */
export type ModelledPolicy = AllPolicy | FirstPolicy | PackPolicy

/** Policies that judge every call, each on its own: the most restrictive answer counts (`src/model/layers.ts`). */
export interface Layers {
  readonly layers: readonly Layer[]
}

export interface Layer {
  /** Unique among its like: letters, digits, `_` and `-`, a letter first. */
  readonly name: string
  readonly policy: Policy
}

/** What a gate decides by. */
export type PolicySet = Policy | Layers

/** What every policy carries into the record. */
export interface PolicyHead {
  readonly id: string
  readonly version: string
  /** Whether tools must be what they were; absent: the policy does not ask. */
  readonly pinning?: Pinning
}

/** Every rule of every entry that matches must pass. */
export interface AllPolicy extends PolicyHead {
  readonly strategy: 'all'
  readonly language: 'native' | 'guard' | 'intercept'
  /** What a target gets that no entry lists. */
  readonly default: 'allow' | 'deny'
  /** The guard's own words for its two outcomes; they replace ours in decisions. */
  readonly reasonCodes: { readonly allow?: string; readonly block?: string }
  /** What the verdict on a target that no entry lists names as its rule; `default` if not given. */
  readonly defaultRule?: string
  /** `last`: what is counted is asked after everything else, whichever rule it stands in. If not given: rule by rule. */
  readonly counting?: 'last'
  /** In the order in which they are judged. */
  readonly entries: readonly Entry[]
}

export type Method = 'tools/call' | 'resources/read' | 'prompts/get'

export const judgedMethods: readonly Method[] = ['tools/call', 'resources/read', 'prompts/get']

/** What an entry is about, and what must hold there. Several entries may match one target: all their rules must pass. */
export interface Entry {
  readonly method: Method
  /** As written in the file; counters of its limits belong to it. */
  readonly key: string
  /** Any of these matches. */
  readonly match: readonly TargetPattern[]
  /** False for `"*"`: its rules bind every target, but it lists none under `default: deny`. */
  readonly lists: boolean
  /** Whom it is for; everybody, if not given. It lists nothing for others, and its rules do not bind them. */
  readonly for?: Callers
  readonly rules: readonly Rule[]
  readonly riskLevel?: RiskLevel
  readonly place: Place
}

/** Callers by what is known of them: any of these. */
export type Callers = readonly CallerTest[]

/** All that it says together; of each a pattern that matches. */
export interface CallerTest {
  readonly agent?: readonly Pattern[]
  readonly user?: readonly Pattern[]
  readonly project?: readonly Pattern[]
  /** One of the groups of the caller. */
  readonly groups?: readonly Pattern[]
}

export interface TargetPattern {
  /** Absent: any server. */
  readonly server?: Pattern
  readonly name: Pattern
}

/** Names match whole and case-sensitively. In a glob `*` is any run of characters (also none, also `/`), `?` is one. */
export type Pattern =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'glob'; readonly text: string }

export interface Rule {
  readonly name: string
  /** `require`: what it says must hold. `deny`, `hold`: they act unless it is proved that their conditions fail. */
  readonly effect: 'require' | 'deny' | 'hold'
  /** Whom it is for; everybody, if not given. It does not bind others. */
  readonly for?: Callers
  /** All together. None at all: always. */
  readonly conditions: readonly Condition[]
  /** Conditions on what was counted before this call, together with those on its arguments. */
  readonly readings?: readonly Reading[]
  /** A deny that says nothing of itself: for callers the target does not exist. Without conditions. */
  readonly hides?: true
  /** Only with `require`. */
  readonly spend?: Spend
  /** Only with `require`. */
  readonly limits: readonly Limit[]
  readonly approvalTimeoutMs?: number
  /** How long the held call is kept open; it is refused at once, if not given. */
  readonly approvalWaitMs?: number
  /** Persons who have to approve; one, if not given. */
  readonly approvalQuorum?: number
  /** Whoever asked does not approve. */
  readonly approvalNotRequester?: true
  readonly riskLevel?: RiskLevel
  readonly onDeny?: string
  readonly place: Place
}

/** Keys from the root of the arguments, or of an element, downwards. */
export type Path = readonly string[]

export interface Condition {
  readonly path: Path
  /** `required: false`: a missing argument counts in the caller's favour. */
  readonly optional: boolean
  readonly test: Test
}

export type JsonType = 'string' | 'number' | 'integer' | 'boolean' | 'array' | 'object' | 'null'
export type Scalar = string | number | boolean | null

export type Test =
  | { readonly kind: 'present' }
  | { readonly kind: 'absent' }
  | { readonly kind: 'type'; readonly types: readonly JsonType[] }
  | { readonly kind: 'enum'; readonly values: readonly Scalar[] }
  /** `above` and `below` are bounds that do not belong to the range. */
  | {
      readonly kind: 'range'
      readonly min?: number
      readonly max?: number
      readonly above?: number
      readonly below?: number
    }
  /** Code points of a string, elements of an array. */
  | { readonly kind: 'length'; readonly min?: number; readonly max?: number }
  | { readonly kind: 'prefix'; readonly prefix: string }
  /** RE2, over the whole string. */
  | { readonly kind: 'pattern'; readonly pattern: string }
  /** RE2, anywhere in the string. */
  | { readonly kind: 'search'; readonly pattern: string }
  /** There and not null, or not so: other than with `present` and `absent`, each is the exact contrary of the other. */
  | { readonly kind: 'exists'; readonly there: boolean }
  /**
   * One of these values, or none of them: each is the exact contrary of the other, whatever the type of the value is. A
   * list or a map whose print could be one of the texts (`[a b]`, `map[a:1]`) is neither.
   */
  | { readonly kind: 'one_of'; readonly values: readonly Scalar[]; readonly negated: boolean }
  /** A string with the text in it, or an array with one of the values as an element. Nothing else contains anything. */
  | { readonly kind: 'contains'; readonly text?: string; readonly values: readonly Scalar[] }
  /** Every element of the array / some element, with conditions whose paths start at the element. */
  | { readonly kind: 'each'; readonly conditions: readonly Condition[] }
  | { readonly kind: 'any'; readonly conditions: readonly Condition[] }

/** The arguments that say how much a call spends, and the cap for one call. Amounts are micro-units. */
export interface Spend {
  readonly amount: Path
  readonly currency?: { readonly path: Path; readonly allowed: readonly string[] }
  readonly perCallMicro?: number
}

/** What a counter stands at before the call, in calls or micro-units, must lie in one of the spans. It charges nothing. */
export interface Reading {
  readonly counter: Counter
  /** Apart from each other, in ascending order. None: no value will do. */
  readonly spans: readonly Span[]
}

/** Whole numbers from `min` to `max`, both included. */
export interface Span {
  readonly min?: number
  readonly max?: number
}

/** A bound on a counter: calls, or micro-units. Below zero there is never room. */
export interface Limit {
  readonly counter: Counter
  readonly max: number
}

/**
 * What is counted. Two rules of one entry that count the same thing share the counter, and a counter keeps its value
 * when the policy changes but still counts the same thing: its id is made of what it counts, not of the rule.
 */
export interface Counter {
  /** For example `calls/day@create_refund` or `spend(amount)/day@pay_* per user`. Unique within a policy. */
  readonly id: string
  readonly measure: Measure
  readonly window: Window
  readonly per: readonly PerField[]
}

/** Each call counts one, or a number of the policy's, or the amount it names. */
export type Measure = 'calls' | { readonly step: number } | { readonly amount: Path; readonly currency?: Path }

export type CalendarUnit = 'second' | 'minute' | 'hour' | 'day' | 'week' | 'month'

/** `fixed` windows are aligned to the UTC calendar (weeks start on Monday). */
export type Window =
  | { readonly kind: 'fixed'; readonly unit: CalendarUnit }
  | { readonly kind: 'sliding'; readonly ms: number }
  | { readonly kind: 'total' }

/** What a counter is kept apart by. */
export type PerField =
  | { readonly kind: 'principal'; readonly field: 'agent' | 'user' | 'project' }
  | { readonly kind: 'session' }
  | { readonly kind: 'server' }
  | { readonly kind: 'tool' }
  | { readonly kind: 'argument'; readonly path: Path }

/** The id of a counter, from what it counts. `scope` is the key of its entry, with its method where that is no tool call. */
export function counterId(scope: string, measure: Measure, window: Window, per: readonly PerField[]): string {
  const by = per.length === 0 ? '' : ` per ${per.map(perText).join(', ')}`
  return `${measureText(measure)}/${windowText(window)}@${scope}${by}`
}

function measureText(measure: Measure): string {
  if (measure === 'calls') return 'calls'
  if ('step' in measure) return `calls*${measure.step}`
  return `spend(${[measure.amount, ...(measure.currency ? [measure.currency] : [])].map(pathText).join(', ')})`
}

export function windowText(window: Window): string {
  switch (window.kind) {
    case 'fixed':
      return window.unit
    case 'sliding':
      return `${window.ms}ms`
    case 'total':
      return 'total'
  }
  return window satisfies never
}

export function perText(per: PerField): string {
  switch (per.kind) {
    case 'principal':
      return per.field
    case 'argument':
      return `arguments.${pathText(per.path)}`
    case 'session':
    case 'server':
    case 'tool':
      return per.kind
  }
  return per satisfies never
}

/** `a.b` for ["a", "b"]; a dot or backslash inside a key is escaped with a backslash. */
export function pathText(path: Path): string {
  return path.map((key) => (/[\\.]/.test(key) ? key.replace(/[\\.]/g, '\\$&') : key)).join('.')
}
