/**
 * Runs as the hosts of agents have registered them, until they expire or are taken back. They live as long as the gate: after
 * a restart a call belongs to no run until its host has registered it again, and a policy pack denies it.
 */
import { TollgateError } from '../model/errors.ts'
import { nameTrouble } from '../model/message/acts.ts'
import { isObject } from '../model/message/json.ts'
import type { JsonObject } from '../model/message/message.ts'
import { quoted } from '../model/message/quoted.ts'
import { runAttributes } from '../model/pack/attributes.ts'
import { attributeCharsMax } from '../model/pack/limits.ts'
import type { Run } from '../model/pack/run.ts'
import { requireKeys } from './body.ts'
import { runExpirySeconds, runExpirySecondsMax, runsMax } from './limits.ts'

export interface Registered {
  readonly run_id: string
  readonly attributes: Run
  readonly registered_at: string
  /** The name of the key. */
  readonly registered_by: string
  readonly expires_at: string
}

interface Kept {
  readonly registered: Registered
  readonly until: number
}

export class Runs {
  readonly #kept = new Map<string, Kept>()
  readonly #now: () => number

  constructor(now: () => number = Date.now) {
    this.#now = now
  }

  /** As it is registered by now. */
  get(id: string): Run | undefined {
    return this.#live(id)?.attributes
  }

  list(): readonly Registered[] {
    this.#forgetExpired()
    return [...this.#kept.values()].map(({ registered }) => registered)
  }

  /** Takes the place of what was registered under its id. Throws `run_invalid` and `runs_full`. */
  register(said: JsonObject, by: string): { readonly registered: Registered; readonly isNew: boolean } {
    const { id, attributes, seconds } = read(said)
    const isNew = this.#live(id) === undefined
    if (isNew && this.#kept.size >= runsMax) this.#forgetExpired()
    if (isNew && this.#kept.size >= runsMax)
      throw new TollgateError('runs_full', `${runsMax} runs are registered: take back those that are over`)
    const now = this.#now()
    const until = now + seconds * 1000
    const registered: Registered = {
      run_id: id,
      attributes: { ...attributes, run_id: id },
      registered_at: new Date(now).toISOString(),
      registered_by: by,
      expires_at: new Date(until).toISOString(),
    }
    this.#kept.set(id, { registered, until })
    return { registered, isNew }
  }

  /** Throws `run_unknown`. */
  remove(id: string): Registered {
    const registered = this.#live(id)
    if (registered === undefined) throw new TollgateError('run_unknown', `no run ${quoted(id)} is registered`)
    this.#kept.delete(id)
    return registered
  }

  #live(id: string): Registered | undefined {
    const kept = this.#kept.get(id)
    return kept !== undefined && kept.until > this.#now() ? kept.registered : undefined
  }

  #forgetExpired(): void {
    const now = this.#now()
    for (const [id, { until }] of this.#kept) if (until <= now) this.#kept.delete(id)
  }
}

function read(said: JsonObject): { readonly id: string; readonly attributes: Run; readonly seconds: number } {
  requireKeys(said, ['run_id', 'attributes', 'expires_in_seconds'])
  const { run_id: id, attributes, expires_in_seconds: seconds = runExpirySeconds } = said
  const trouble = nameTrouble('run_id', id, attributeCharsMax)
  if (trouble !== undefined) throw invalid(trouble)
  if (!isObject(attributes)) throw invalid('`attributes` must be an object')
  const unknown = Object.keys(attributes).find((key) => !runAttributes.some((known) => known === key))
  if (unknown !== undefined)
    throw invalid(`unknown attribute ${quoted(unknown)}: a run has ${runAttributes.join(', ')}`)
  if (attributes['run_id'] !== undefined && attributes['run_id'] !== id)
    throw invalid('`attributes.run_id` is another run than `run_id`')
  if (!Number.isSafeInteger(seconds) || (seconds as number) < 1 || (seconds as number) > runExpirySecondsMax)
    throw invalid(`\`expires_in_seconds\` must be a whole number from 1 to ${runExpirySecondsMax}`)
  return { id: id as string, attributes, seconds: seconds as number }
}

function invalid(message: string): TollgateError {
  return new TollgateError('run_invalid', message)
}
