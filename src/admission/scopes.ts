/** What a key of the admission server may do: each key no more than it needs. */
import type { Approver } from '../model/approval.ts'

export const scopes = ['read', 'approve', 'admission', 'runs', 'kill'] as const

export type Scope = (typeof scopes)[number]

/** Of a line that names none: a person who answers. */
export const personScopes: readonly Scope[] = ['read', 'approve']

/** Whose key it is, and what it may do. */
export interface KeyHolder {
  readonly holder: Approver
  readonly scopes: readonly Scope[]
}

export function isScope(word: string): word is Scope {
  return (scopes as readonly string[]).includes(word)
}
