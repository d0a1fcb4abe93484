/** A policy file: read once, or watched. Everything that can be wrong with it is an error with its place. */
import { readFileSync, statSync } from 'node:fs'
import { basename } from 'node:path'
import type { Artifact } from '../bundle/artifact.ts'
import { encodeArtifact } from '../bundle/artifact.ts'
import { keep, keptName, readKept } from '../bundle/kept.ts'
import { messageOf, TollgateError } from '../model/errors.ts'
import { policyBytesMax } from '../model/limits.ts'
import { Engine } from '../pdp/engine.ts'
import type { ActivePolicy } from '../pep/gate.ts'

/** The bytes of a policy file. Throws `policy_unreadable`. */
export function readPolicyFile(file: string): Uint8Array {
  try {
    const found = statSync(file)
    if (found.isDirectory()) throw new Error('it is a directory')
    if (found.size > policyBytesMax) throw new Error(`it has ${found.size} bytes, at most ${policyBytesMax} are read`)
    return readFileSync(file)
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT'
    throw new TollgateError(
      'policy_unreadable',
      `\`${file}\`: ${missing ? 'there is no such file' : messageOf(cause)}`,
      { cause },
    )
  }
}

/** Reads, parses and compiles, or finds it done. Throws a `PolicyError`, a `CompileError`, or `policy_unreadable`. */
export async function loadPolicyFile(file: string): Promise<Artifact> {
  const source = { name: basename(file), text: readPolicyFile(file) }
  const name = keptName(source)
  const kept = readKept(name)
  if (kept !== undefined) return kept
  const { buildPolicy } = await import('../bundle/build.ts')
  const artifact = await buildPolicy({ ...source, path: file })
  keep(name, artifact)
  return artifact
}

/** A compiled policy, ready to be asked. Throws `engine_unloadable`. */
export function activePolicy(artifact: Artifact): ActivePolicy {
  const engine = new Engine(artifact.wasm, artifact.data, artifact.entrypoint)
  return {
    revision: artifact.revision,
    policy: artifact.policy,
    wasmDigest: artifact.wasmDigest,
    sources: artifact.sources.map(({ name }) => name),
    evaluate: (input) => engine.evaluate(input),
    encoded: () => encodeArtifact(artifact),
  }
}
