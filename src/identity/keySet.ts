/**
 * The public keys of an issuer. They are asked for when they are old or a token names one that is not among them, never
 * more often than the cooldown, and believed for a bounded time when they cannot be had.
 */
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose'
import { messageOf } from '../model/errors.ts'
import { Refused } from './caller.ts'
import { type Following, follow } from './followed.ts'
import { keysIn } from './jwks.ts'
import { jwksStaleMsMax } from './limits.ts'

export interface Keys {
  /** Has them at hand. Never rejects: what went wrong is said, and tokens are refused until it is well. */
  load(): Promise<void>
  /** Another number for each set of keys: what was verified by one says nothing about the next. */
  generation(): Promise<number> | number
  /** For `jwtVerify`. Rejects with a `Refused` when there are no keys to verify with. */
  readonly keyOf: JWTVerifyGetKey
}

/** Throws when the file has no keys at first. */
export function keysOfFile(file: string, following: Following): Keys {
  const keys = follow(file, (bytes) => createLocalJWKSet(keysIn(Buffer.from(bytes).toString('utf8'), file)), following)
  return {
    load: async () => {},
    generation: () => keys.generation,
    keyOf: async (header, token) => {
      const known = keys.value()
      if (known === undefined) throw noKeys()
      return known(header, token)
    },
  }
}

function noKeys(): Refused {
  return new Refused(503, 'the gate cannot get the keys of the issuer: try again later')
}

export interface KeySetOptions {
  /** Rejects when they cannot be had. */
  readonly load: () => Promise<JSONWebKeySet>
  /** How old they may become before they are asked for again. */
  readonly refreshMs: number
  readonly cooldownMs: number
  readonly say: (sentence: string) => void
}

export class KeySet implements Keys {
  readonly #options: KeySetOptions
  #keys: ReturnType<typeof createLocalJWKSet> | undefined
  #loadedAt = Number.NEGATIVE_INFINITY
  #triedAt = Number.NEGATIVE_INFINITY
  #loading: Promise<void> | undefined
  /** The last question for them got no answer. */
  #failed = false
  #text = ''
  #generation = 0

  constructor(options: KeySetOptions) {
    this.#options = options
  }

  async generation(): Promise<number> {
    await this.#fresh()
    return this.#generation
  }

  readonly keyOf: JWTVerifyGetKey = async (header, token) => {
    const keys = await this.#fresh()
    try {
      return await keys(header, token)
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error
      const isAsked = this.#loading !== undefined || !this.#isCooling
      if (isAsked) await (this.#loading ?? this.load())
      // It may be among those that could not be had.
      if (this.#failed) throw noKeys()
      if (!isAsked) throw error
      return await (await this.#fresh())(header, token)
    }
  }

  get #isCooling(): boolean {
    return performance.now() - this.#triedAt < this.#options.cooldownMs
  }

  async #fresh(): Promise<ReturnType<typeof createLocalJWKSet>> {
    const isOld = performance.now() - this.#loadedAt >= this.#options.refreshMs
    if (this.#loading !== undefined && this.#keys === undefined) await this.#loading
    else if (isOld && !this.#isCooling) await this.load()
    if (this.#keys !== undefined && performance.now() - this.#loadedAt < this.#options.refreshMs + jwksStaleMsMax)
      return this.#keys
    throw noKeys()
  }

  /** One request for all that wait. */
  load(): Promise<void> {
    this.#triedAt = performance.now()
    this.#loading ??= this.#loadOnce().finally(() => {
      this.#loading = undefined
    })
    return this.#loading
  }

  async #loadOnce(): Promise<void> {
    try {
      const set = await this.#options.load()
      const keys = createLocalJWKSet(set)
      const text = JSON.stringify(set)
      if (text !== this.#text) this.#generation++
      this.#text = text
      this.#keys = keys
      this.#loadedAt = performance.now()
      this.#failed = false
    } catch (error) {
      this.#failed = true
      const kept = this.#keys === undefined ? 'tokens are refused until they are' : 'those that are known still count'
      this.#options.say(`the keys of the issuer were not read: ${messageOf(error)}; ${kept}`)
    }
  }
}
