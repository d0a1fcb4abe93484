/** The policies that records name, as the ledger keeps them: held against their digests, and ready to be asked again. */
import { type Artifact, decodeArtifact } from '../bundle/artifact.ts'
import { type Body, textIn } from '../log/body.ts'
import { type NamedPolicy, policyNamedIn } from '../log/proof.ts'
import { messageOf, TollgateError } from '../model/errors.ts'
import { Engine } from '../pdp/engine.ts'

/** Policies held in memory at once: each has up to some ten MB. */
const policiesMax = 16

interface Kept {
  readonly name: NamedPolicy
  readonly wasmDigest: string
  readonly engine: Engine
}

export interface PolicyPorts {
  /** The bytes that the ledger keeps. */
  readonly stored: (revision: string) => Uint8Array | undefined
  /** The body of an activation before the records that are looked at, where there is one. */
  readonly activationBefore: (revision: string) => Body | undefined
}

export class KeptPolicies {
  readonly #ports: PolicyPorts
  readonly #kept = new Map<string, Kept>()
  /** Digest of the module of each revision that was activated, from the chain. */
  readonly #activated = new Map<string, string | null>()

  constructor(ports: PolicyPorts) {
    this.#ports = ports
  }

  /** Takes note of an activation. Throws a `TollgateError` when what is kept is not what was activated. */
  activate(body: Body): void {
    const named = policyNamedIn(body)
    if (!named) throw new TollgateError('record_unreadable', 'the activation names no policy')
    this.#activated.set(named.revision, textIn(body, 'wasm_sha256'))
    this.engineOf(named)
  }

  /** The engine of the policy that a record names. Throws a `TollgateError` when it cannot be the one that decided. */
  engineOf(named: NamedPolicy): Engine {
    const { revision, id, version } = named
    const kept = this.#kept.get(revision) ?? this.#load(revision)
    const digest = this.#digestOf(revision)
    if (digest === undefined) throw damaged(`revision ${short(revision)} was never activated before this record`)
    if (digest !== kept.wasmDigest)
      throw damaged(`the module kept for revision ${short(revision)} is not the one that was activated`)
    if (id !== kept.name.id || version !== kept.name.version)
      throw damaged(
        `revision ${short(revision)} is policy \`${kept.name.id}\` version \`${kept.name.version}\`, the record says \`${id}\` version \`${version}\``,
      )
    return kept.engine
  }

  #digestOf(revision: string): string | null | undefined {
    if (!this.#activated.has(revision)) {
      const activation = this.#ports.activationBefore(revision)
      if (activation) this.#activated.set(revision, textIn(activation, 'wasm_sha256'))
    }
    return this.#activated.get(revision)
  }

  #load(revision: string): Kept {
    const bytes = this.#ports.stored(revision)
    if (!bytes) throw damaged(`the ledger does not keep revision ${short(revision)}`)
    const artifact = decoded(revision, bytes)
    const { policy, wasm, wasmDigest, data, entrypoint } = artifact
    const name = { id: policy.id, version: policy.version, revision }
    const kept = { name, wasmDigest, engine: new Engine(wasm, data, entrypoint) }
    const [oldest] = this.#kept.keys()
    if (this.#kept.size >= policiesMax && oldest !== undefined) this.#kept.delete(oldest)
    this.#kept.set(revision, kept)
    return kept
  }
}

/** Holds it against its own digests, and against the name it is kept under. */
function decoded(revision: string, bytes: Uint8Array): Artifact {
  try {
    const artifact = decodeArtifact(bytes)
    if (artifact.revision === revision) return artifact
  } catch (cause) {
    throw damaged(`what is kept as revision ${short(revision)}: ${messageOf(cause)}`, cause)
  }
  throw damaged(`what is kept as revision ${short(revision)} is another revision`)
}

function damaged(message: string, cause?: unknown): TollgateError {
  return new TollgateError('artifact_damaged', message, { cause })
}

function short(revision: string): string {
  return revision.slice(0, 12)
}
