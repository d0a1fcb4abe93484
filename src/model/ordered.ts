/** The model of a policy of ordered rules: the first rule that matches decides. */
import type { Json } from './canonical.ts'
import type { RiskLevel } from './decision.ts'
import type { Place, PolicyHead } from './policy.ts'

/** Its rules speak of tools alone: resources and prompts are refused. */
export interface FirstPolicy extends PolicyHead {
  readonly strategy: 'first'
  readonly language: 'aegis' | 'native'
  readonly rules: readonly OrderedRule[]
  /** For a tool call that no rule matches. */
  readonly otherwise: Answer
}

/** What a rule says of the calls that it matches. */
export interface Answer {
  readonly effect: 'allow' | 'hold' | 'deny'
  readonly riskLevel: RiskLevel
}

export interface OrderedRule extends Answer {
  readonly name: string
  /** Globs as Python's fnmatch reads them (`src/model/fnmatch.ts`): of the tool, the server and the agent. */
  readonly match: { readonly type: string; readonly target: string; readonly agent: string }
  /** All of them, in this order: one that fails ends the question, one that cannot be answered refuses the call. */
  readonly conditions: readonly OrderedCondition[]
  readonly place: Place
}

/** Arguments stand at the top level. One that is missing or null fails every condition. */
export type OrderedCondition =
  /** Minutes of the UTC day: from this one on, before this one. */
  | { readonly kind: 'after' | 'before'; readonly minute: number }
  /** Monday is 1, Sunday 7; UTC. */
  | { readonly kind: 'weekdays'; readonly days: readonly number[] }
  /** As Python compares (`src/reference/python.ts`). */
  | { readonly kind: 'compare'; readonly by: Comparison; readonly name: string; readonly value: Json }
  /** Python's `value in argument`: part of a text, element of a list, key of a map. */
  | { readonly kind: 'contains'; readonly name: string; readonly value: Json }
  /** The argument as text (`src/model/pythonText.ts`) has a match. */
  | { readonly kind: 'matches'; readonly name: string; readonly pattern: TextPattern }
  /** Some of these words is a word of the call (`src/model/words.ts`). */
  | { readonly kind: 'words'; readonly words: readonly string[] }

export type Comparison = 'eq' | 'gt' | 'lt' | 'gte' | 'lte'

/**
 * A regular expression of Python as RE2. `\w` and its like know every script in Python, which is a thousand ranges of
 * characters in RE2, and compiled on each evaluation: a text in ASCII is asked with the pattern for ASCII.
 */
export interface TextPattern {
  readonly written: string
  readonly ascii: string
  /** For any other text; absent when RE2 cannot say it: then such a text can be neither matched nor cleared. */
  readonly wide?: string
}
