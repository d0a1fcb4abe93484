/** The policies that records name, as the ledger keeps them: held against their digests, and ready to be asked again. */
import { type Artifact, decodeArtifact } from '../bundle/artifact.ts'
import type { Body } from '../log/body.ts'
import {
  activatedIn,
  layersNamedIn,
  type NamedActivation,
  type NamedLayer,
  type NamedPolicy,
  policyNamedIn,
} from '../log/policies.ts'
import type { LayeredInput } from '../model/call.ts'
import { canonical, type Json } from '../model/canonical.ts'
import { messageOf, TollgateError } from '../model/errors.ts'
import { judgeEach, type LayersVerdict, layersRevision } from '../model/layers.ts'
import { provingMsMax } from '../model/limits.ts'
import type { Policy, PolicySet } from '../model/policy.ts'
import { engineOf } from '../pdp/ask.ts'
import type { Engine } from '../pdp/engine.ts'

/** Policies held in memory at once: each has up to some ten MB. */
const policiesMax = 16

interface Kept {
  readonly policy: Policy
  readonly wasmDigest: string
  readonly engine: Engine
}

export interface PolicyPorts {
  /** The bytes that the ledger keeps. */
  readonly stored: (revision: string) => Uint8Array | undefined
  /** What an activation before the records that are looked at says of a revision, where there is one. */
  readonly activationBefore: (revision: string) => NamedActivation | undefined
}

export class KeptPolicies {
  readonly #ports: PolicyPorts
  readonly #kept = new Map<string, Kept>()
  /** Digest of the module of each revision that was activated, from the chain; layers together have none. */
  readonly #activated = new Map<string, string | null>()

  constructor(ports: PolicyPorts) {
    this.#ports = ports
  }

  /** Takes note of an activation. Throws a `TollgateError` when what is kept is not what was activated. */
  activate(body: Body): void {
    const activated = activatedIn(body)
    if (!activated) throw new TollgateError('record_unreadable', 'the activation names no policy')
    this.#note(activated)
    for (const named of activated.policies) this.engineOf(named)
  }

  /** The engine of the policy that a record names. Throws a `TollgateError` when it cannot be the one that decided. */
  engineOf(named: NamedPolicy): Engine {
    const kept = this.#keptOf(named.revision)
    requireName(kept.policy, named)
    return kept.engine
  }

  /**
   * What the layers that a record names say of its input, and the policy of the layer that decides. Throws a
   * `TollgateError` when they cannot be the ones that decided, or give no decision.
   */
  askLayers(
    named: readonly NamedLayer[],
    input: LayeredInput,
  ): { readonly verdict: LayersVerdict; readonly deciding?: Policy } {
    const together = layersRevision(named)
    if (this.#digestOf(together) === undefined)
      throw damaged(
        `the layers ${named.map(({ name }) => `\`${name}\``).join(', ')} were never activated together before this record`,
      )
    const layers = named.map(({ name, revision }) => ({ name, ...this.#keptOf(revision) }))
    const verdict = judgeEach(layers, input, ({ engine }, own) => engine.evaluate(canonical(own as unknown as Json)))
    const deciding = layers.find(({ name }) => name === verdict.layer)
    return { verdict, ...(deciding && { deciding: deciding.policy }) }
  }

  /** What a record names as what decided; undefined where nothing was loaded. Throws a `TollgateError` when it is not kept so. */
  setNamedIn(body: Body): PolicySet | undefined {
    const layers = layersNamedIn(body)
    if (layers) return { layers: layers.map(({ name, revision }) => ({ name, policy: this.#keptOf(revision).policy })) }
    const named = policyNamedIn(body)
    return named && this.#keptOf(named.revision).policy
  }

  #keptOf(revision: string): Kept {
    const kept = this.#kept.get(revision) ?? this.#load(revision)
    const digest = this.#digestOf(revision)
    if (digest === undefined) throw damaged(`revision ${short(revision)} was never activated before this record`)
    if (digest !== kept.wasmDigest)
      throw damaged(`the module kept for revision ${short(revision)} is not the one that was activated`)
    return kept
  }

  #note({ revision, policies }: NamedActivation): void {
    this.#activated.set(revision, null)
    for (const policy of policies) this.#activated.set(policy.revision, policy.wasmDigest)
  }

  #digestOf(revision: string): string | null | undefined {
    if (!this.#activated.has(revision)) {
      const activation = this.#ports.activationBefore(revision)
      if (activation) this.#note(activation)
    }
    return this.#activated.get(revision)
  }

  #load(revision: string): Kept {
    const bytes = this.#ports.stored(revision)
    if (!bytes) throw damaged(`the ledger does not keep revision ${short(revision)}`)
    const artifact = decoded(revision, bytes)
    const { policy, wasmDigest } = artifact
    const kept = { policy, wasmDigest, engine: engineOf(artifact, provingMsMax) }
    const [oldest] = this.#kept.keys()
    if (this.#kept.size >= policiesMax && oldest !== undefined) this.#kept.delete(oldest)
    this.#kept.set(revision, kept)
    return kept
  }
}

/** Throws a `TollgateError` when the policy is another one than the record says. */
export function requireName(policy: Policy, { id, version, revision }: NamedPolicy): void {
  if (id === policy.id && version === policy.version) return
  throw damaged(
    `revision ${short(revision)} is policy \`${policy.id}\` version \`${policy.version}\`, the record says \`${id}\` version \`${version}\``,
  )
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
