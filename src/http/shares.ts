/** What all callers share (sessions, requests, streams, processes), and how much of it one of them may have. */
import type { Principal } from '../model/call.ts'
import { quoted } from '../model/message/quoted.ts'
import {
  busyToldItemsMax,
  busyToldMs,
  connectionsMax,
  exchangesMax,
  exchangesPerCallerMax,
  openStreamsPerCallerMax,
  processesMax,
  processesPerCallerMax,
  sessionsMax,
  sessionsPerCallerMax,
} from './limits.ts'
import type { Reply } from './reply.ts'

export interface Size {
  readonly all: number
  /** Of one caller, where callers are told apart. */
  readonly each: number
}

export interface Sizes {
  readonly sessions: Size
  readonly exchanges: Size
  readonly streams: Size
  readonly processes: Size
}

const sizesDefault: Sizes = {
  sessions: { all: sessionsMax, each: sessionsPerCallerMax },
  exchanges: { all: exchangesMax, each: exchangesPerCallerMax },
  streams: { all: connectionsMax, each: openStreamsPerCallerMax },
  processes: { all: processesMax, each: processesPerCallerMax },
}

export interface SharesOptions {
  /** Who asks, as one caller; without it nobody is told apart, and there are no shares. */
  readonly callerOf?: (principal: Principal) => string
  /** Other sizes; for tests. */
  readonly sizes?: Partial<Sizes>
  readonly log?: (sentence: string) => void
}

export class Shares {
  readonly callerOf: (principal: Principal) => string
  readonly sessions: Share
  readonly exchanges: Share
  readonly streams: Share
  readonly processes: Share

  constructor({ callerOf, sizes, log = () => {} }: SharesOptions) {
    const share = (name: keyof Sizes, full: string, callerFull: string) => {
      const size = { ...sizesDefault, ...sizes }[name]
      return new Share(callerOf ? size : { ...size, each: size.all }, { full, callerFull }, log)
    }
    this.callerOf = callerOf ?? everybody
    this.sessions = share('sessions', 'too many sessions are open here', 'too many of your sessions are open here')
    this.exchanges = share('exchanges', 'too much is under way here', 'too much of yours is under way here')
    this.streams = share('streams', 'too many streams are open here', 'too many of your streams are open here')
    this.processes = share('processes', 'too much runs here', 'too much of yours runs here')
  }
}

export class Share {
  readonly #size: Size
  readonly #words: { readonly full: string; readonly callerFull: string }
  readonly #taken = new Map<string, number>()
  readonly #log: (sentence: string) => void
  #all = 0
  /** Callers of whom it was said, since when. */
  readonly #told = new Set<string>()
  #toldSince = Number.NEGATIVE_INFINITY

  constructor(
    size: Size,
    words: { readonly full: string; readonly callerFull: string },
    log: (sentence: string) => void = () => {},
  ) {
    this.#size = size
    this.#words = words
    this.#log = log
  }

  get isFull(): boolean {
    return this.#all >= this.#size.all
  }

  isFullFor(caller: string): boolean {
    return (this.#taken.get(caller) ?? 0) >= this.#size.each
  }

  /** Undefined when there is no more of it, and the caller is told. */
  take(caller: string, reply: Reply): Place | undefined {
    if (this.isFullFor(caller) && this.#size.each < this.#size.all) this.#refuse(reply, this.#words.callerFull, caller)
    else if (this.isFull) this.#refuse(reply, this.#words.full, '')
    else {
      this.#count(caller, 1)
      return new Place(() => this.#count(caller, -1))
    }
    return undefined
  }

  /** The operator hears of each caller, once in a while. */
  #refuse(reply: Reply, why: string, caller: string): void {
    reply.busy(why)
    const now = performance.now()
    if (now - this.#toldSince >= busyToldMs) {
      this.#told.clear()
      this.#toldSince = now
    }
    if (this.#told.has(caller) || this.#told.size >= busyToldItemsMax) return
    this.#told.add(caller)
    this.#log(`${caller === '' ? 'callers are' : `the ${quoted(caller)} is`} told with 429: ${why}`)
  }

  #count(caller: string, change: 1 | -1): void {
    this.#all += change
    const taken = (this.#taken.get(caller) ?? 0) + change
    if (taken === 0) this.#taken.delete(caller)
    else this.#taken.set(caller, taken)
  }
}

/** One of what is shared, until it is given back. */
export class Place {
  #giveBack: () => void
  #isKept = false

  constructor(giveBack: () => void) {
    this.#giveBack = giveBack
  }

  /** For longer than who took it: it is given back by the function that this gives, which may be called again. */
  keep(): () => void {
    this.#isKept = true
    return () => {
      this.#giveBack()
      this.#giveBack = () => {}
    }
  }

  /** It is given back, unless it is kept. */
  leave(): void {
    if (!this.#isKept) this.#giveBack()
  }
}

function everybody(): string {
  return ''
}

/**
 * A person is one caller whatever program they use, as programs are easily made; a program that speaks for nobody is one by
 * itself. Groups and claims do not count: they may change from token to token.
 */
export function callerOf({ agent, user }: Principal): string {
  return user === undefined ? `agent ${agent}` : `user ${user}`
}
