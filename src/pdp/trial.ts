/** A module that came from elsewhere is loaded and asked once, within a time limit that ends it wherever it is. */
import { runInNewContext } from 'node:vm'
import type { Json } from '../model/canonical.ts'
import { TollgateError } from '../model/errors.ts'
import { trialMsMax } from '../model/limits.ts'
import { Engine } from './engine.ts'

export interface Module {
  readonly wasm: Uint8Array
  readonly data: Json
  readonly entrypoint: string
}

/** A call that every policy has a word for, if only no. */
const question = '{"method":"tools/call","server":"","tool":"","arguments":{}}'

/**
 * Throws `engine_unloadable`. A decision is not looked at: only that there is an end. The time limit is one of Node's for
 * scripts: it ends WebAssembly too, and costs a thread, which is why calls are not asked under it.
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
    runInNewContext('load()', { load }, { timeout: msMax })
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw cause
    throw new TollgateError('engine_unloadable', 'the policy module cannot be loaded: it does not come to an end', {
      cause,
    })
  }
}
