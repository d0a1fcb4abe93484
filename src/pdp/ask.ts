/** Compiled policies to engines: what one of them answers with is read by its strategy. */
import type { Artifact } from '../bundle/artifact.ts'
import { evaluationMsMax } from '../model/limits.ts'
import { Engine } from './engine.ts'
import { readRegoVerdict } from './regoVerdict.ts'

/** `msMax`: how long an answer may take. Throws `engine_unloadable` or `engine_builtin_missing`. */
export function engineOf(
  { policy, wasm, data, entrypoint }: Pick<Artifact, 'policy' | 'wasm' | 'data' | 'entrypoint'>,
  msMax = evaluationMsMax,
): Engine {
  if (policy.strategy !== 'rego') return new Engine(wasm, data, entrypoint, { msMax })
  // How long Rego of others takes depends on what it reads, and an agent writes that.
  return new Engine(wasm, data, entrypoint, {
    read: (results, input) => readRegoVerdict(policy, results, input),
    msMax,
    isEnded: true,
  })
}
