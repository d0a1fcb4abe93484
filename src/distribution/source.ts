/** What a place is asked, and what it answers. A file, a bundle service and a registry are each a source. */

export interface Question {
  /** Of what is there already: a place that still has that says so. */
  readonly etag: string | undefined
  /** How long a place may hold its answer until something changes. */
  readonly waitMs: number
  readonly signal: AbortSignal
}

export type Answer = Same | Found

/** Nothing changed since the ETag that was shown. */
export interface Same {
  readonly kind: 'same'
  /** The place holds answers until something changes: it can be asked again at once. */
  readonly waits: boolean
}

export interface Found {
  readonly kind: 'found'
  /** A bundle, as far as it is known by now: not verified. */
  readonly bytes: Uint8Array
  readonly etag: string | undefined
  readonly waits: boolean
}

export interface Source {
  /** Rejects with a `SourceError`. */
  ask(question: Question): Promise<Answer>
}

/** Changes are looked for in a file often; a server is asked within a range, so that gates do not all ask at once. */
export interface Rhythm {
  readonly minMs: number
  readonly maxMs: number
}
