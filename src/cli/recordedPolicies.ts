/** The policies that records name as what decided, as the ledger keeps them: to be read, not to be asked. */
import { parseArtifact } from '../bundle/artifact.ts'
import type { Body } from '../log/body.ts'
import { layersNamedIn, policyNamedIn } from '../log/policies.ts'
import type { Policy, PolicySet } from '../model/policy.ts'

export class RecordedPolicies {
  readonly #stored: (revision: string) => Uint8Array | undefined
  readonly #policies = new Map<string, Policy | undefined>()
  readonly #sets = new Map<string, PolicySet | undefined>()

  /** `stored` gives the compiled policy of a revision, as it was kept. */
  constructor(stored: (revision: string) => Uint8Array | undefined) {
    this.#stored = stored
  }

  /** Of one record and another it is the same object, where it is the same. Undefined when it is not kept, or cannot be read. */
  setOf(body: Body): PolicySet | undefined {
    const named = layersNamedIn(body)
    if (!named) return this.#policyOf(policyNamedIn(body)?.revision ?? '')
    const key = JSON.stringify(named)
    if (this.#sets.has(key)) return this.#sets.get(key)
    const layers = named.flatMap(({ name, revision }) => {
      const policy = this.#policyOf(revision)
      return policy ? [{ name, policy }] : []
    })
    const set = layers.length === named.length ? { layers } : undefined
    this.#sets.set(key, set)
    return set
  }

  #policyOf(revision: string): Policy | undefined {
    if (!this.#policies.has(revision)) this.#policies.set(revision, this.#read(revision))
    return this.#policies.get(revision)
  }

  #read(revision: string): Policy | undefined {
    const bytes = this.#stored(revision)
    try {
      return bytes && parseArtifact(bytes).policy
    } catch {
      return undefined // said by whoever asks
    }
  }
}
