/**
 * Runs as the hosts of agents have registered them, until they expire or are taken back. They are kept in the ledger: so they
 * survive a restart, and gates that share a ledger know the same.
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

/** Where they are kept: the ledger. */
export interface KeptRuns {
  run(id: string): KeptRun | undefined
  runs(now: number): readonly KeptRun[]
  runsCount(now: number): number
  keepRun(run: KeptRun): void
  removeRun(id: string): void
  removeExpiredRuns(now: number): void
}

interface KeptRun {
  readonly id: string
  readonly expires: number
  readonly registered: string
}

export class Runs {
  readonly #kept: KeptRuns
  readonly #now: () => number

  constructor(kept: KeptRuns, now: () => number = Date.now) {
    this.#kept = kept
    this.#now = now
  }

  /** As it is registered by now. What cannot be read is no run: what needs one is denied. */
  get(id: string): Run | undefined {
    try {
      return this.#live(id)?.attributes
    } catch {
      return undefined
    }
  }

  get count(): number {
    return this.#kept.runsCount(this.#now())
  }

  list(): readonly Registered[] {
    return this.#kept.runs(this.#now()).map(registeredOf)
  }

  /** Takes the place of what was registered under its id. Throws `run_invalid` and `runs_full`. */
  register(said: JsonObject, by: string): { readonly registered: Registered; readonly isNew: boolean } {
    const { id, attributes, seconds } = read(said)
    const now = this.#now()
    const isNew = this.#live(id) === undefined
    this.#kept.removeExpiredRuns(now)
    if (isNew && this.count >= runsMax)
      throw new TollgateError('runs_full', `${runsMax} runs are registered: take back those that are over`)
    const expires = now + seconds * 1000
    const registered: Registered = {
      run_id: id,
      attributes: { ...attributes, run_id: id },
      registered_at: new Date(now).toISOString(),
      registered_by: by,
      expires_at: new Date(expires).toISOString(),
    }
    this.#kept.keepRun({ id, expires, registered: JSON.stringify(registered) })
    return { registered, isNew }
  }

  /** Throws `run_unknown`. */
  remove(id: string): Registered {
    const registered = this.#live(id)
    if (registered === undefined) throw new TollgateError('run_unknown', `no run ${quoted(id)} is registered`)
    this.#kept.removeRun(id)
    return registered
  }

  #live(id: string): Registered | undefined {
    const kept = this.#kept.run(id)
    return kept !== undefined && kept.expires > this.#now() ? registeredOf(kept) : undefined
  }
}

function registeredOf({ registered }: KeptRun): Registered {
  return JSON.parse(registered) as Registered
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
