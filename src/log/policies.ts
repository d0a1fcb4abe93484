/** Which policies a record names: the one that decided, or the layers that did, or those that became active. */
import { layersRevision } from '../model/layers.ts'
import { type Body, objectIn, textIn } from './body.ts'

/** The policy that a record names as the one that decided. */
export interface NamedPolicy {
  readonly id: string
  readonly version: string
  readonly revision: string
}

export interface NamedLayer {
  readonly name: string
  readonly revision: string
}

/** Undefined when no policy was loaded, or several were. */
export function policyNamedIn(body: Body): NamedPolicy | undefined {
  if (namesLayers(body)) return undefined
  const [id, version] = [textIn(body, 'policy_id'), textIn(body, 'policy_version')]
  const revision = id === null ? null : revisionOf(body, id)
  return id === null || version === null || revision === null ? undefined : { id, version, revision }
}

/** The layers of a decision, in their order; undefined when there are none, or they cannot be read. */
export function layersNamedIn(body: Body): readonly NamedLayer[] | undefined {
  const names = body['layers']
  if (!Array.isArray(names)) return undefined
  const layers = names.flatMap((name: unknown) => {
    const revision = typeof name === 'string' ? revisionOf(body, name) : null
    return revision === null ? [] : [{ name: name as string, revision }]
  })
  return layers.length === names.length ? layers : undefined
}

/** Of whatever decided: empty when nothing was loaded. */
export function revisionNamedIn(body: Body): string {
  const layers = layersNamedIn(body)
  return layers ? layersRevision(layers) : (policyNamedIn(body)?.revision ?? '')
}

export interface NamedActivation {
  /** Of what decides from then on. */
  readonly revision: string
  /** One policy, or that of each layer. */
  readonly policies: readonly ActivatedPolicy[]
}

export interface ActivatedPolicy extends NamedPolicy {
  readonly wasmDigest: string | null
}

/** What an activation made active; undefined when it does not say. */
export function activatedIn(body: Body): NamedActivation | undefined {
  if (!namesLayers(body)) {
    const named = policyNamedIn(body)
    return named && { revision: named.revision, policies: [{ ...named, wasmDigest: textIn(body, 'wasm_sha256') }] }
  }
  const layers = (body['layers'] as readonly Body[]).flatMap((layer) => activatedLayer(body, layer) ?? [])
  if (layers.length < (body['layers'] as readonly Body[]).length) return undefined
  return { revision: layersRevision(layers), policies: layers }
}

function activatedLayer(body: Body, layer: Body): (ActivatedPolicy & NamedLayer) | undefined {
  if (typeof layer !== 'object' || layer === null) return undefined
  const [name, id, version] = [textIn(layer, 'name'), textIn(layer, 'policy_id'), textIn(layer, 'policy_version')]
  const revision = name === null ? null : revisionOf(body, name)
  if (name === null || id === null || version === null || revision === null) return undefined
  return { name, id, version, revision, wasmDigest: textIn(layer, 'wasm_sha256') }
}

function namesLayers(body: Body): boolean {
  return Array.isArray(body['layers'])
}

function revisionOf(body: Body, bundle: string): string | null {
  const bundles = objectIn(body, 'bundles')
  return Object.hasOwn(bundles, bundle) ? textIn(objectIn(bundles, bundle), 'revision') : null
}
