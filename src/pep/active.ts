/** What a gate can decide by: one policy, or layers of them; and how records name it. */
import type { Verdict } from '../model/decision.ts'
import type { ActivatedPolicy, ActivationName, BundleName, LayersName, PolicyName } from '../model/event.ts'
import type { LayersVerdict } from '../model/layers.ts'
import type { Layers, Policy } from '../model/policy.ts'

/** A policy that can be asked. */
export interface ActivePolicy {
  readonly revision: string
  readonly policy: Policy
  /** Digest of the module that evaluates it, for the record. */
  readonly wasmDigest: string
  readonly sources: readonly string[]
  /** The one that it came in, if it did. */
  readonly bundle?: BundleName
  /** The verdict on an input document in canonical JSON; throws when there is none. */
  evaluate(input: string): Verdict
  /** The compiled policy, to be kept with the records it decides. */
  encoded(): Uint8Array
}

/** Layers that can be asked; each is a policy of its own. */
export interface ActiveLayers {
  /** Of all of them together. */
  readonly revision: string
  readonly policy: Layers
  readonly layers: readonly ActiveLayer[]
  /** As of a policy; the document has the facts of each layer apart. */
  evaluate(input: string): LayersVerdict
}

export interface ActiveLayer extends ActivePolicy {
  readonly name: string
}

/** What a record says of who decided. */
export function nameOf(
  active: ActivePolicy | ActiveLayers,
  verdict?: Verdict | LayersVerdict,
): PolicyName | LayersName {
  if (!('layers' in active)) return policyName(active)
  const layers = active.layers.map((layer) => ({ name: layer.name, ...policyName(layer) }))
  return { layers, ...(verdict && 'layers' in verdict && verdict.layer && { deciding: verdict.layer }) }
}

/** Of layers, the one that decided. */
export function policyIn(named: PolicyName | LayersName | undefined): {
  readonly id: string
  readonly version: string
} {
  const one = named && 'layers' in named ? named.layers.find(({ name }) => name === named.deciding) : named
  return one ?? { id: '', version: '' }
}

/** What the record of an activation says. */
export function activated(active: ActivePolicy | ActiveLayers): ActivationName {
  return 'layers' in active ? { layers: active.layers.map(activatedLayer) } : activatedPolicy(active)
}

/** Compiled policies to be kept: one, or one of each layer. */
export function partsOf(active: ActivePolicy | ActiveLayers): readonly ActivePolicy[] {
  return 'layers' in active ? active.layers : [active]
}

function policyName({ policy, revision }: ActivePolicy): PolicyName {
  return { id: policy.id, version: policy.version, revision }
}

function activatedPolicy(active: ActivePolicy): ActivatedPolicy {
  const { sources, wasmDigest, bundle } = active
  return { ...policyName(active), sources, wasmDigest, ...(bundle && { bundle }) }
}

function activatedLayer(layer: ActiveLayer): ActivatedPolicy & { readonly name: string } {
  return { name: layer.name, ...activatedPolicy(layer) }
}

/** The pack that decided is in every decision, by its hash; of several packs in layers, the first. */
export function packOf(active: ActivePolicy | ActiveLayers | undefined): { readonly pack_sha256?: string } {
  if (!active) return {}
  const { policy } =
    'layers' in active ? (active.layers.find((one) => one.policy.strategy === 'pack') ?? noPack) : active
  return policy?.strategy === 'pack' ? { pack_sha256: policy.sha256 } : {}
}

const noPack: { readonly policy?: Policy } = {}
