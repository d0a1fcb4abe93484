/** What a gate is told to decide by: files that make one policy, or layers of such. */
import type { Artifact } from '../bundle/artifact.ts'
import type { Input } from '../model/call.ts'
import { canonical, type Json } from '../model/canonical.ts'
import type { Verdict } from '../model/decision.ts'
import { TollgateError } from '../model/errors.ts'
import type { BundleName } from '../model/event.ts'
import { judgeEach, layersRevision } from '../model/layers.ts'
import { layerNameCharsMax, layersMax } from '../model/limits.ts'
import type { Layers, PolicySet } from '../model/policy.ts'
import { countersIn } from '../model/strategy.ts'
import type { ActiveLayer, ActiveLayers, ActivePolicy } from '../pep/active.ts'
import type { Diagnostic } from '../policy/diagnostics.ts'
import { activePolicy, loadPolicyFiles, type Reading } from './policyFile.ts'

/** Files in the order in which they are merged: the first is the base. A bundle stands alone, as a policy or a layer. */
export type PolicyChoice = ({ readonly files: readonly string[] } | { readonly layers: readonly LayerFiles[] }) &
  Reading

export interface LayerFiles {
  readonly name: string
  readonly files: readonly string[]
}

export interface LoadedSet {
  readonly revision: string
  readonly policy: PolicySet
  /** Ready to be asked. Throws `engine_unloadable`. */
  active(): ActivePolicy | ActiveLayers
}

export function filesOf(choice: PolicyChoice): readonly string[] {
  return 'files' in choice ? choice.files : choice.layers.flatMap(({ files }) => files)
}

/** Reads, parses and compiles. Throws a `PolicyError`, a `CompileError`, `policy_unreadable`, or `layers_invalid`. */
export async function loadPolicySet(choice: PolicyChoice): Promise<LoadedSet> {
  if ('files' in choice) return single({ artifact: await loadPolicyFiles(choice.files, choice) })
  return layered(await loadLayers(choice.layers, choice))
}

/** The mistakes of all layers are told at once. */
async function loadLayers(choice: readonly LayerFiles[], reading: Reading): Promise<readonly LayerArtifact[]> {
  const layers: LayerArtifact[] = []
  const mistakes: Diagnostic[] = []
  for (const { name, files } of choice) {
    try {
      layers.push({ name, artifact: await loadPolicyFiles(files, reading) })
    } catch (error) {
      const { PolicyError } = await import('../bundle/errors.ts')
      if (!(error instanceof PolicyError)) throw error
      mistakes.push(...error.diagnostics)
    }
  }
  if (layers.length === choice.length) return layers
  const { PolicyError } = await import('../bundle/errors.ts')
  throw new PolicyError(mistakes)
}

/** A compiled policy, and the bundle that it came in, if it did. */
export interface PolicyArtifact {
  readonly artifact: Artifact
  readonly bundle?: BundleName
}

export interface LayerArtifact extends PolicyArtifact {
  readonly name: string
}

/** Compiled policies as layers, the outermost first. Throws `layers_invalid`. */
export function layered(layers: readonly LayerArtifact[]): LoadedSet {
  const policy: Layers = { layers: layers.map(({ name, artifact }) => ({ name, policy: artifact.policy })) }
  requireSound(policy)
  const revision = layersRevision(layers.map(({ name, artifact }) => ({ name, revision: artifact.revision })))
  return {
    revision,
    policy,
    active() {
      const active = layers.map((layer) => ({ name: layer.name, ...activeOf(layer) }))
      return { revision, policy, layers: active, evaluate: (input) => judgeEach(active, JSON.parse(input), ask) }
    },
  }
}

function ask({ evaluate }: ActiveLayer, input: Input): Verdict {
  return evaluate(canonical(input as unknown as Json))
}

/** One compiled policy. */
export function single(one: PolicyArtifact): LoadedSet {
  const { revision, policy } = one.artifact
  return { revision, policy, active: () => activeOf(one) }
}

function activeOf({ artifact, bundle }: PolicyArtifact): ActivePolicy {
  return { ...activePolicy(artifact), ...(bundle && { bundle }) }
}

/** Throws `layers_invalid`. */
export function requireSound({ layers }: Layers): void {
  if (layers.length === 0) throw invalid('there is no layer')
  if (layers.length > layersMax) throw invalid(`there are ${layers.length} layers, ${layersMax} are allowed`)
  const counted = new Map<string, string>()
  for (const [index, { name, policy }] of layers.entries()) {
    if (!isLayerName(name))
      throw invalid(`\`${name}\` is no name of a layer: letters, digits, \`_\` and \`-\`, a letter first`)
    if (layers.findIndex((layer) => layer.name === name) < index) throw invalid(`two layers are called \`${name}\``)
    for (const { id } of countersIn(policy)) {
      const key = JSON.stringify([policy.id, id])
      const other = counted.get(key) ?? name
      if (other !== name) throw invalid(sharing(other, name, policy.id, id))
      counted.set(key, name)
    }
  }
}

/** Would stand in records as a member of an object, where JavaScript puts numbers first. */
export function isLayerName(name: string): boolean {
  return /^[A-Za-z][A-Za-z0-9_-]*$/.test(name) && name.length <= layerNameCharsMax
}

function sharing(one: string, other: string, policyId: string, counter: string): string {
  return `layers \`${one}\` and \`${other}\` are both policy \`${policyId}\` and both count \`${counter}\`, which would be one counter: give each a \`policy_id\` of its own`
}

function invalid(message: string): TollgateError {
  return new TollgateError('layers_invalid', message)
}
