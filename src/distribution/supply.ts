/** One bundle: its place is asked, what comes is verified, and the last good one is kept. */
import { hash } from 'node:crypto'
import { TollgateError } from '../model/errors.ts'
import type { Seen } from '../opa/trust.ts'
import { SourceError } from './errors.ts'
import type { Kept, KeptState } from './kept.ts'
import { verifyAgainMs } from './limits.ts'
import type { Rhythm, Source } from './source.ts'
import { Standing } from './status.ts'

/** A bundle that was verified: what its manifest and its signatures say, and what it is for. */
export interface Verified<P> {
  readonly revision: string
  readonly roots: readonly string[]
  /** To be shown with the next one, so that no older one is believed. */
  readonly seen?: Seen | undefined
  readonly expiresAtMs?: number | undefined
  readonly content: P
}

/** Rejects with why the bytes are no bundle that may become active. */
export type Open<P> = (bytes: Uint8Array, seen: Seen | undefined) => Promise<Verified<P>>

export interface SupplyOptions<P> {
  readonly name: string
  readonly place: string
  readonly source: Source
  /** A start may have to do without it. */
  readonly isRemote: boolean
  readonly rhythm: Rhythm
  readonly waitMs: number
  readonly kept: Kept
  readonly open: Open<P>
  readonly clock: () => number
}

/** Verified, and not active yet. */
export interface Candidate<P> {
  readonly verified: Verified<P>
  readonly state: KeptState
  readonly size: number
  /** It comes from the disk. */
  readonly kept: boolean
}

export class Supply<P> {
  readonly name: string
  readonly place: string
  readonly isRemote: boolean
  readonly rhythm: Rhythm
  readonly standing: Standing
  /** The place holds its answers until something changes: it can be asked again at once. */
  waits = false
  readonly #options: SupplyOptions<P>
  /** What was active last, before this process too. */
  #last: KeptState | undefined
  #isActive = false
  /** The last bytes that were no good, and why. */
  #refused: { readonly sha256: string; readonly atMs: number; readonly error: unknown } | undefined
  /** It is active, and what is kept is another one still. */
  #isUncommitted = false

  constructor(options: SupplyOptions<P>) {
    const { name, place, isRemote, rhythm } = options
    this.name = name
    this.place = place
    this.isRemote = isRemote
    this.rhythm = rhythm
    this.standing = new Standing(name, place)
    this.#options = options
  }

  /** What was kept, verified anew; undefined where nothing was. Rejects where it is good no longer. */
  async fromDisk(): Promise<Candidate<P> | undefined> {
    const found = this.#options.kept.read()
    if (!found) return undefined
    // Whatever becomes of it, nothing older is believed.
    this.#last = found.state
    const verified = await this.#options.open(found.bytes, found.state.seen)
    return { verified, state: found.state, size: found.bytes.length, kept: true }
  }

  /** Undefined where nothing changed. Rejects with a `TollgateError`, or the reason of `signal`. */
  async ask(signal: AbortSignal): Promise<Candidate<P> | undefined> {
    const { source, waitMs, clock } = this.#options
    this.commit()
    this.standing.requested(clock())
    const etag = this.#isActive ? this.#last?.etag : undefined
    // Whether what failed is over is asked at once: an answer that is held would leave it standing that long.
    const isFailing = this.standing.status.code !== undefined
    const answer = await source.ask({ etag, waitMs: isFailing ? 0 : waitMs, signal })
    this.standing.answered(clock())
    this.waits = answer.waits || (isFailing && waitMs > 0)
    if (answer.kind === 'same') return undefined
    this.standing.downloaded(clock())
    return this.#candidateIn(answer.bytes, answer.etag)
  }

  /** Throws `bundle_older` where what is kept by now is newer. */
  requireLatest(candidate: Candidate<P> | undefined): void {
    const { sequence = 0 } = candidate?.state.seen ?? {}
    const reached = this.#options.kept.read()?.state.seen?.sequence ?? 0
    if (sequence >= reached) return
    throw new TollgateError(
      'bundle_older',
      `bundle \`${this.name}\` has the sequence ${sequence}, and ${reached} was reached already`,
    )
  }

  /** It decides: from now on nothing older does. */
  activated({ verified, state, size, kept }: Candidate<P>): void {
    this.#last = state
    this.#isActive = true
    const { revision, seen, expiresAtMs } = verified
    this.standing.activated(this.#options.clock(), { revision, sequence: seen?.sequence, expiresAtMs, size, kept })
    this.#isUncommitted = !kept
  }

  /** What is active is what a next start begins with. Throws `bundle_store_unwritable`; then the next question tries again. */
  commit(): void {
    if (this.#isUncommitted) this.#options.kept.commit()
    this.#isUncommitted = false
  }

  /** It decides no longer, and may come again. */
  deactivated(): void {
    this.#isActive = false
    this.standing.deactivated()
  }

  async #candidateIn(bytes: Uint8Array, etag: string | undefined): Promise<Candidate<P> | undefined> {
    const { kept } = this.#options
    const last = this.#isActive ? this.#last : undefined
    const sha256 = hash('sha256', bytes)
    if (sha256 === last?.sha256) return undefined
    // A weak one may stand for other bytes, too: those are looked at like any.
    if (etag !== undefined && etag === last?.etag && !etag.startsWith('W/'))
      throw new SourceError(
        'bundle_etag_wrong',
        `\`${this.place}\` has other bytes under the ETag of those that are active`,
      )
    const verified = await this.#verified(bytes, sha256)
    const { name, place } = this
    const { revision, seen = this.#last?.seen } = verified
    const state = { name, place, sha256, revision, ...(seen && { seen }), ...(etag !== undefined && { etag }) }
    // On disk before anything is decided by it.
    kept.write({ state, bytes })
    return { verified, state, size: bytes.length, kept: false }
  }

  /** What was no good a moment ago is not verified again: a file is looked at each second. Later keys or clocks may differ, and a clock may go back. */
  async #verified(bytes: Uint8Array, sha256: string): Promise<Verified<P>> {
    const { open, clock } = this.#options
    const [refused, reached] = [this.#refused, this.#reached()]
    if (refused?.sha256 === sha256 && Math.abs(clock() - refused.atMs) < verifyAgainMs) throw refused.error
    try {
      return await open(bytes, reached)
    } catch (error) {
      this.#refused = { sha256, atMs: clock(), error }
      throw error
    }
  }
  /** By this process, or by another one that shares the store: what that has seen nobody goes back behind. */
  #reached(): Seen | undefined {
    const own = this.#last?.seen
    const kept = this.#keptNow()?.seen
    return kept && kept.sequence > (own?.sequence ?? -1) ? kept : own
  }

  /** What cannot be read stops a start, and not the bundle that takes its place. */
  #keptNow(): KeptState | undefined {
    try {
      return this.#options.kept.read()?.state
    } catch {
      return undefined
    }
  }
}
