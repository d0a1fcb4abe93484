/** Which run a call over HTTP belongs to: the caller's credential says it, never the call. */
import type { Runs } from '../admission/runs.ts'
import type { Principal } from '../model/call.ts'
import type { Run } from '../model/pack/run.ts'

/**
 * A credential that was verified and claims a `run_id` is of that run and of no other: the one that is registered under the
 * id, or the file's, unless that is another one. Who claims none is of the file's.
 */
export function runOf(runs: Runs, ofFile: () => Run | undefined = () => undefined) {
  return ({ claims }: Principal): Run | undefined => {
    const id = claims?.['run_id']
    if (id === undefined) return ofFile()
    const registered = typeof id === 'string' ? runs.get(id) : undefined
    if (registered !== undefined) return registered
    const run = ofFile()
    return run?.['run_id'] === undefined || run['run_id'] === id ? run : undefined
  }
}
