/** `.manifest`: what a bundle says of itself. */
import type { Json } from '../model/canonical.ts'
import { isObject } from '../model/message/json.ts'
import type { JsonObject } from '../model/message/message.ts'
import { BundleError } from './errors.ts'
import { manifestPath } from './files.ts'
import { readValue } from './json.ts'

export interface Manifest {
  readonly revision: string
  /** The parts of `data` that the bundle owns, without slashes around them; one that is empty owns all. */
  readonly roots: readonly string[]
  readonly wasm: readonly WasmResolver[]
  /** 0 where any of its files is of that. */
  readonly regoVersion?: 0 | 1
  readonly metadata: JsonObject
}

export interface WasmResolver {
  readonly entrypoint: string
  /** The path in the archive, with its leading slash. */
  readonly module: string
}

/** What OPA assumes of a bundle without a manifest. */
export const noManifest: Manifest = { revision: '', roots: [''], wasm: [], metadata: {} }

/** Members that nobody knows are left to later versions of OPA. Throws a `BundleError`. */
export function readManifest(bytes: Uint8Array): Manifest {
  const read = readValue(manifestPath, bytes)
  if (!isObject(read)) throw invalid('it is no object')
  const { revision = '', roots = [''], wasm = [], rego_version: regoVersion, metadata = {} } = read
  if (typeof revision !== 'string') throw invalid('`revision` is no text')
  if (!isObject(metadata)) throw invalid('`metadata` is no object')
  if (regoVersion !== undefined && regoVersion !== 0 && regoVersion !== 1)
    throw invalid('`rego_version` is neither 0 nor 1')
  const version = isOfVersion0(read['file_rego_versions']) ? 0 : regoVersion
  return {
    revision,
    roots: rootsIn(roots),
    wasm: resolversIn(wasm),
    ...(version !== undefined && { regoVersion: version }),
    metadata,
  }
}

/** Some of its files are. */
function isOfVersion0(versions: Json | undefined): boolean {
  return isObject(versions) && Object.values(versions).includes(0)
}

function rootsIn(written: Json): readonly string[] {
  if (!Array.isArray(written) || !written.every((root) => typeof root === 'string'))
    throw invalid('`roots` is no list of texts')
  const roots = written.map((root: string) => root.replace(/^\/+|\/+$/g, ''))
  for (const [index, root] of roots.entries()) {
    const other = roots.slice(0, index).find((one) => rootsOverlap(one, root))
    if (other !== undefined) throw invalid(`the roots \`${other}\` and \`${root}\` overlap`)
  }
  return roots
}

export function rootsOverlap(one: string, other: string): boolean {
  return isBelow(one, other) || isBelow(other, one)
}

export function isBelow(path: string, root: string): boolean {
  return root === '' || path === root || path.startsWith(`${root}/`)
}

function resolversIn(written: Json): readonly WasmResolver[] {
  if (!Array.isArray(written)) throw invalid('`wasm` is no list')
  const resolvers = written.map((one: Json) => {
    if (!isObject(one) || typeof one['entrypoint'] !== 'string' || typeof one['module'] !== 'string')
      throw invalid('an entry of `wasm` has no `entrypoint` and `module`')
    return { entrypoint: one['entrypoint'], module: one['module'] }
  })
  const twice = resolvers.find(
    ({ entrypoint }, index) => resolvers.findIndex((one) => one.entrypoint === entrypoint) < index,
  )
  if (twice) throw invalid(`the entrypoint \`${twice.entrypoint}\` stands twice in \`wasm\``)
  return resolvers
}

export function invalid(why: string): BundleError {
  return new BundleError('bundle_manifest_invalid', `the manifest is wrong: ${why}`)
}

/** As OPA writes it; Rego is of version 1. */
export function manifestText({ revision, roots, metadata }: Pick<Manifest, 'revision' | 'roots' | 'metadata'>): string {
  return `${JSON.stringify({ revision, roots, rego_version: 1, metadata })}\n`
}
