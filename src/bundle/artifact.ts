/** A compiled policy as one JSON document: what the gate loads, what the ledger keeps so that a record can be judged again. */
import { hash } from 'node:crypto'
import { canonical, type Json } from '../model/canonical.ts'
import { TollgateError } from '../model/errors.ts'
import type { Policy } from '../model/policy.ts'

export interface Source {
  readonly name: string
  readonly text: string
  /** Not a policy by itself: one of the others names it. */
  readonly beside?: true
}

export interface Artifact {
  readonly format: 1
  /** SHA-256 of everything below but the WASM, which is a pure function of it and of the compiler. Lower-case hex. */
  readonly revision: string
  /** Versions that made it. */
  readonly compiler: { readonly opa: string; readonly digest: string }
  readonly sources: readonly Source[]
  readonly policy: Policy
  readonly modules: Readonly<Record<string, string>>
  readonly data: Json
  readonly entrypoint: string
  readonly wasm: Uint8Array
  /** SHA-256 of the module, lower-case hex. */
  readonly wasmDigest: string
}

export function sealArtifact(parts: Omit<Artifact, 'format' | 'revision' | 'wasmDigest'>): Artifact {
  return { format: 1, revision: revisionOf(parts), wasmDigest: hash('sha256', parts.wasm), ...parts }
}

function revisionOf({
  compiler,
  sources,
  policy,
  modules,
  data,
  entrypoint,
}: Omit<Artifact, 'format' | 'revision' | 'wasmDigest'>): string {
  return hash('sha256', canonical({ compiler, sources, policy, modules, data, entrypoint } as unknown as Json))
}

export function encodeArtifact(artifact: Artifact): Uint8Array {
  const { wasm, ...rest } = artifact
  return Buffer.from(JSON.stringify({ ...rest, wasm: Buffer.from(wasm).toString('base64') }))
}

/** Throws `artifact_damaged` on bytes that are no artifact, or one whose revision does not match its content. */
export function decodeArtifact(bytes: Uint8Array): Artifact {
  const artifact = parseArtifact(bytes)
  const intact = revisionOf(artifact) === artifact.revision && hash('sha256', artifact.wasm) === artifact.wasmDigest
  if (artifact.format !== 1 || !intact)
    throw new TollgateError('artifact_damaged', 'the compiled policy does not match its revision')
  return artifact
}

/** The same for bytes that are known to be what `encodeArtifact` made. */
export function parseArtifact(bytes: Uint8Array): Artifact {
  try {
    const read = JSON.parse(Buffer.from(bytes).toString('utf8')) as Artifact & { wasm: string }
    return { ...read, wasm: Buffer.from(read.wasm, 'base64') }
  } catch (cause) {
    throw new TollgateError('artifact_damaged', 'the compiled policy cannot be read', { cause })
  }
}
