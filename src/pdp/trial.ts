/** A module that came from elsewhere is loaded and asked once, within a time limit that ends it wherever it is. */
import type { Json } from '../model/canonical.ts'
import { messageOf, TollgateError } from '../model/errors.ts'
import { trialMsMax } from '../model/limits.ts'
import { Engine } from './engine.ts'
import { endsWithin } from './timeLimit.ts'
import { unheard } from './unheard.ts'

export interface Module {
  readonly wasm: Uint8Array
  readonly data: Json
  readonly entrypoint: string
}

/** A call that every policy has a word for, if only no. */
const question = '{"method":"tools/call","server":"","tool":"","arguments":{}}'

/**
 * Throws `engine_unloadable` or `engine_builtin_missing`. A decision is not looked at: only that there is an end. Calls are
 * not asked under a time limit, but for those of Rego by others: it costs more than a decision.
 */
export function tryModule({ wasm, data, entrypoint }: Module, msMax: number = trialMsMax): void {
  const load = () => {
    const engine = new Engine(wasm, data, entrypoint)
    try {
      engine.evaluate(question)
    } catch {
      // The question was not one of a real call.
    }
  }
  try {
    unheard(() => endsWithin(msMax)(load))
  } catch (cause) {
    if (cause instanceof TollgateError) throw cause
    throw new TollgateError('engine_unloadable', `the policy module cannot be loaded: ${messageOf(cause)}`, { cause })
  }
}
