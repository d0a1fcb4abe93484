/** Whom a bundle is believed from, and how fresh it has to be. */
import type { VerificationKey } from './keys.ts'

export interface Trust {
  /** Any of them will do: a new key is added before the old one is taken away. */
  readonly keys: readonly VerificationKey[]
  /** How many of them, each counted once, must have signed. */
  readonly threshold: number
  /** What tokens must say they are for; a key may say otherwise. */
  readonly scope?: string
  /** How old a signature may be. */
  readonly ageMsMax?: number
  /** Sequences below this are refused, whatever was seen. */
  readonly sequenceMin?: number
  /** Any bundle will do, signed or not: where there are no keys. With keys it counts for nothing. */
  readonly allowUnsigned?: boolean
  /** The rules that may decide in bundles of Rego by others, of each bundle the one that it has; absent: the bundle says which. */
  readonly entrypoints?: readonly string[]
}

/** Of the newest bundle that was accepted from one place: whoever keeps it is never rolled back. */
export interface Seen {
  readonly sequence: number
  /** SHA-256 over what the signatures list. */
  readonly content: string
}

export interface Moment {
  /** Milliseconds since 1970. */
  readonly now: number
  readonly seen?: Seen
}

/** What the signatures of a bundle prove. */
export interface Verified {
  /** Ids of the keys that signed, in the order of the tokens; empty when nothing was verified. */
  readonly signers: readonly Signer[]
  readonly sequence?: number
  /** To be kept and handed in with the next bundle from the same place. */
  readonly seen?: Seen
  /** The earliest of the signatures that count, in milliseconds since 1970. */
  readonly issuedAt?: number
  readonly expiresAt?: number
}

export interface Signer {
  readonly keyId: string
  readonly algorithm: string
}
