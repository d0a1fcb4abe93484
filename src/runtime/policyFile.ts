/** A policy file: read once, or watched. Everything that can be wrong with it is an error with its place. */
import { closeSync, openSync, readFileSync, readSync, statSync } from 'node:fs'
import { basename } from 'node:path'
import type { Artifact } from '../bundle/artifact.ts'
import { encodeArtifact } from '../bundle/artifact.ts'
import { keep, keptName, readKept } from '../bundle/kept.ts'
import { messageOf, TollgateError } from '../model/errors.ts'
import { policyBytesMax } from '../model/limits.ts'
import { Engine } from '../pdp/engine.ts'
import type { ActivePolicy } from '../pep/gate.ts'

/** A policy file that cannot be read; `fault` is why, without its name. */
export class PolicyFileError extends TollgateError {
  override readonly name = 'PolicyFileError'
  readonly fault: string
  readonly tooLarge: boolean

  constructor(file: string, fault: string, { tooLarge = false, cause }: { tooLarge?: boolean; cause?: unknown } = {}) {
    super('policy_unreadable', `\`${file}\`: ${fault}`, cause === undefined ? undefined : { cause })
    this.fault = fault
    this.tooLarge = tooLarge
  }
}

/** The bytes of a policy file, never more of them than a policy may have. Throws `policy_unreadable`. */
export function readPolicyFile(file: string): Uint8Array {
  try {
    return readBounded(file)
  } catch (cause) {
    if (cause instanceof PolicyFileError) throw cause
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT'
    throw new PolicyFileError(file, missing ? 'there is no such file' : messageOf(cause), { cause })
  }
}

function readBounded(file: string): Uint8Array {
  const found = statSync(file)
  if (found.isDirectory()) throw new PolicyFileError(file, 'it is a directory, name the files in it')
  if (found.size > policyBytesMax) throw tooLarge(file, `${found.size} bytes`)
  if (found.isFile()) return readFileSync(file)
  // A pipe or a device has no size that could be asked before.
  const descriptor = openSync(file, 'r')
  try {
    const bytes = Buffer.alloc(policyBytesMax + 1)
    let length = 0
    for (let read = -1; read !== 0 && length < bytes.length; length += read)
      read = readSync(descriptor, bytes, length, bytes.length - length, null)
    if (length > policyBytesMax) throw tooLarge(file, 'more bytes')
    return bytes.subarray(0, length)
  } finally {
    closeSync(descriptor)
  }
}

function tooLarge(file: string, found: string): PolicyFileError {
  return new PolicyFileError(file, `it has ${found}, at most ${policyBytesMax} are read`, { tooLarge: true })
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
