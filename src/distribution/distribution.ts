/**
 * All bundles of a gate. Each is asked for from its own place; they become active together, in one step, and a bad one
 * leaves what was active before.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { pause } from '../http/pause.ts'
import { messageOf, TollgateError } from '../model/errors.ts'
import { pollDelayMs, retryDelayMs } from './backoff.ts'
import { SourceError } from './errors.ts'
import { pollMsMin, startMsMax } from './limits.ts'
import { requireDisjoint } from './roots.ts'
import type { BundleStatus } from './status.ts'
import type { Candidate, Supply, Verified } from './supply.ts'

/** The bundles that decide together, in the order in which they were named. */
export type Active<P> = readonly (Verified<P> & { readonly name: string })[]

export interface Failed {
  readonly name: string
  readonly place: string
  readonly error: unknown
  /** The last question of this bundle failed in the same way. */
  readonly again: boolean
}

export interface Ports<P> {
  /** Makes them decide, in one step. Throws where they must not. */
  readonly activate: (active: Active<P>) => void
  /** A bundle is too old to decide by: nothing does from now on. */
  readonly expired: (sentence: string) => void
  readonly failed: (failed: Failed) => void
  readonly say: (sentence: string) => void
  /** Told when the status of a bundle may have changed. */
  readonly asked: () => void
  readonly chance: () => number
}

export class Distribution<P> {
  readonly #supplies: readonly Supply<P>[]
  readonly #clock: () => number
  readonly #candidates = new Map<string, Candidate<P>>()
  readonly #fresh = new Set<string>()

  constructor(supplies: readonly Supply<P>[], clock: () => number) {
    this.#supplies = supplies
    this.#clock = clock
  }

  status(): Readonly<Record<string, BundleStatus>> {
    return Object.fromEntries(this.#supplies.map(({ name, standing }) => [name, standing.status]))
  }

  /** The first of each, which are to be made active; `started` is told when they are. Rejects where one cannot be had. */
  async first(say: (sentence: string) => void, signal: AbortSignal = new AbortController().signal): Promise<Active<P>> {
    const found = await Promise.all(this.#supplies.map((supply) => firstOf(supply, say, signal)))
    for (const [index, { name }] of this.#supplies.entries()) this.#add(name, found[index] as Candidate<P>)
    requireDisjoint(this.#active())
    return this.#active()
  }

  /** Throws `bundle_older` where others kept a newer one since. */
  requireLatest(): void {
    for (const supply of this.#supplies) supply.requireLatest(this.#candidates.get(supply.name))
  }

  /** What `first` gave is active. */
  started(): void {
    this.#settle()
  }

  /** Asks until it is stopped. */
  follow(ports: Ports<P>): { readonly stop: () => void; readonly reload: () => void } {
    const ending = new AbortController()
    let waking = new AbortController()
    const wakes = () => AbortSignal.any([ending.signal, waking.signal])
    for (const supply of this.#supplies) void this.#keepAsking(supply, ports, ending.signal, wakes)
    const expiry = setInterval(() => this.#expire(ports), pollMsMin).unref()
    return {
      stop() {
        clearInterval(expiry)
        ending.abort()
      },
      reload() {
        waking.abort()
        waking = new AbortController()
      },
    }
  }

  async #keepAsking(supply: Supply<P>, ports: Ports<P>, ending: AbortSignal, wakes: () => AbortSignal): Promise<void> {
    const rest = () => pollDelayMs(supply.rhythm, ports.chance())
    // What was kept may be old: its place is asked at once.
    let delayMs = supply.waits || supply.standing.status.kept ? 0 : rest()
    for (let failures = 0; ; ) {
      await pause(delayMs, wakes()) // a reload ends the wait before its time
      if (ending.aborted) return
      const started = performance.now()
      try {
        const candidate = await supply.ask(ending)
        // What was verified while others took its place decides nothing.
        if (ending.aborted) return
        if (candidate) this.#activate(supply, candidate, ports)
        // "Nothing changed" may be said of one that expired while the question was under way.
        const isHad = this.#candidates.has(supply.name)
        if (isHad && supply.standing.fine()) ports.say(`bundle \`${supply.name}\` comes from \`${supply.place}\` again`)
        failures = 0
        delayMs = supply.waits ? Math.max(0, pollMsMin - (performance.now() - started)) : rest()
      } catch (error) {
        if (ending.aborted) return
        const again = !supply.standing.failed(error)
        ports.failed({ name: supply.name, place: supply.place, error, again })
        const patience = error instanceof SourceError ? error.retryAfterMs : undefined
        delayMs = retryDelayMs(failures++, supply.rhythm, ports.chance(), patience)
      }
      ports.asked()
    }
  }

  /** Throws where the new one must not decide with the others; then nothing has changed. */
  #activate(supply: Supply<P>, candidate: Candidate<P>, ports: Ports<P>): void {
    const { name } = supply
    const before = this.#candidates.get(name)
    const isWaiting = this.#fresh.has(name)
    this.#add(name, candidate)
    try {
      const active = this.#active()
      requireDisjoint(active)
      // While another is missing that had expired, nothing decides.
      if (active.length < this.#supplies.length) return
      ports.activate(active)
    } catch (error) {
      this.#fresh.delete(name)
      if (before && !isWaiting) this.#candidates.set(name, before)
      else this.#candidates.delete(name)
      // What waited for another is not on the disk any more: it comes again, or does not decide.
      if (isWaiting) supply.deactivated()
      throw error
    }
    this.#settle()
  }

  #add(name: string, candidate: Candidate<P>): void {
    this.#candidates.set(name, candidate)
    this.#fresh.add(name)
  }

  #active(): Active<P> {
    return this.#supplies.flatMap(({ name }) => {
      const candidate = this.#candidates.get(name)
      return candidate ? [{ name, ...candidate.verified }] : []
    })
  }

  #settle(): void {
    const fresh = this.#supplies.filter(({ name }) => this.#fresh.has(name))
    this.#fresh.clear()
    for (const supply of fresh) supply.activated(this.#candidates.get(supply.name) as Candidate<P>)
    for (const supply of fresh) supply.commit()
  }

  #expire(ports: Ports<P>): void {
    const now = this.#clock()
    for (const supply of this.#supplies) {
      const { expiresAtMs, revision } = this.#candidates.get(supply.name)?.verified ?? {}
      if (expiresAtMs === undefined || now < expiresAtMs) continue
      this.#candidates.delete(supply.name)
      this.#fresh.delete(supply.name)
      supply.deactivated()
      const sentence = `bundle \`${supply.name}\` (revision \`${revision}\`) expired at ${new Date(expiresAtMs).toISOString()}`
      supply.standing.failed(new TollgateError('bundle_expired', sentence))
      ports.expired(sentence)
      ports.asked()
    }
  }
}

/** From its place where that is on this machine, else as it was kept, else from its place once it can be reached. */
async function firstOf<P>(
  supply: Supply<P>,
  say: (sentence: string) => void,
  signal: AbortSignal,
): Promise<Candidate<P>> {
  const kept = await supply.fromDisk().catch((error: unknown) => {
    if (error instanceof TollgateError && error.code === 'bundle_store_damaged') throw error
    say(`what is kept of bundle \`${supply.name}\` is good no longer: ${messageOf(error)}`)
    return undefined
  })
  if (kept && supply.isRemote) {
    say(`bundle \`${supply.name}\` is as it was kept, revision \`${kept.verified.revision}\`: its place is asked now`)
    return kept
  }
  try {
    return await asked(supply, signal)
  } catch (error) {
    if (!kept) throw error
    supply.standing.failed(error)
    say(`bundle \`${supply.name}\` is as it was kept, revision \`${kept.verified.revision}\`: ${messageOf(error)}`)
    return kept
  }
}

/** Those that start together need not be there at once; what is wrong with a bundle does not get better. */
async function asked<P>(supply: Supply<P>, signal: AbortSignal): Promise<Candidate<P>> {
  const until = performance.now() + startMsMax
  for (let failures = 0; ; failures++) {
    try {
      const candidate = await supply.ask(signal)
      if (candidate) return candidate
      throw new TollgateError('bundle_absent', `\`${supply.place}\` gave no bundle`)
    } catch (error) {
      if (!mayCome(error) || performance.now() > until) throw error
      await sleep(retryDelayMs(failures, { minMs: 0, maxMs: 2_000 }, 1), undefined, { signal })
    }
  }
}

function mayCome(error: unknown): boolean {
  if (!(error instanceof SourceError)) return false
  return ['bundle_unreachable', 'bundle_timeout'].includes(error.code) || (error.httpCode ?? 0) >= 500
}
