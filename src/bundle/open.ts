/** A bundle to the compiled policy in it: verified first, then made again from its sources as far as that needs no compiler. */
import { hash } from 'node:crypto'
import { canonical, type Json } from '../model/canonical.ts'
import { TollgateError } from '../model/errors.ts'
import { isObject } from '../model/message/json.ts'
import { type Bundle, fileAt, readBundle } from '../opa/bundle.ts'
import { type BundleFile, dataPath, kindOf, manifestPath, signaturesPath, wasmPath } from '../opa/files.ts'
import { readValue } from '../opa/json.ts'
import type { Moment, Trust, Verified } from '../opa/trust.ts'
import { verifyBundle } from '../opa/verify.ts'
import { parsePolicies } from '../policy/merge.ts'
import { type Artifact, type Source, sealArtifact } from './artifact.ts'
import { regoOf } from './build.ts'
import { type BundleMetadata, regoDigest, rootsOf, type SourceFile } from './bundled.ts'
import { PolicyError } from './errors.ts'
import { regoArtifact } from './rego.ts'
import { rootOf } from './root.ts'

export interface OpenedBundle extends Verified {
  /** Of the bundle, as its makers call it; the policy has a revision of its own, in `artifact`. */
  readonly revision: string
  readonly roots: readonly string[]
  readonly artifact: Artifact
  /** Absent where the bundle is of Rego by others. */
  readonly metadata?: BundleMetadata
}

/** Throws a `TollgateError` (`bundle_*`) for whatever keeps the bundle from being used, and a `PolicyError` for mistakes of its sources. */
export async function openBundle(bytes: Uint8Array, trust: Trust, moment: Moment): Promise<OpenedBundle> {
  const bundle = await readBundle(bytes)
  const verified = await verifyBundle(bundle, trust, moment)
  const { manifest } = bundle
  const metadata = metadataOf(bundle)
  const artifact = metadata ? artifactIn(bundle, metadata) : await regoArtifact(bundle, trust.entrypoints ?? [])
  return {
    ...verified,
    revision: manifest.revision,
    roots: manifest.roots,
    ...(metadata && { metadata }),
    artifact,
  }
}

/** Undefined for a bundle of others. Throws `bundle_foreign`, or `bundle_manifest_invalid`. */
function metadataOf({ manifest }: Bundle): BundleMetadata | undefined {
  const own = manifest.metadata['tollgate']
  if (own === undefined || (isObject(own) && Object.keys(own).join() === 'entrypoint')) return undefined
  if (!isObject(own) || own['format'] !== 1)
    throw new TollgateError('bundle_foreign', 'the bundle was made by another version of Tollgate: its format is not 1')
  return readMetadata(own)
}

function readMetadata(own: { readonly [key: string]: Json }): BundleMetadata {
  const { wasm, compiler, sources } = own
  const texts = [own['version'], own['entrypoint'], own['rego_sha256']]
  const isWhole =
    isObject(wasm) &&
    isObject(compiler) &&
    Array.isArray(sources) &&
    sources.every((one: Json) => isObject(one) && areTexts([one['name'], one['path'], one['sha256']])) &&
    areTexts([...texts, wasm['path'], wasm['sha256'], wasm['abi'], compiler['opa'], compiler['digest']])
  if (isWhole) return own as unknown as BundleMetadata
  throw new TollgateError('bundle_manifest_invalid', 'the manifest is wrong: `metadata.tollgate` lacks a part')
}

function areTexts(values: readonly (Json | undefined)[]): boolean {
  return values.every((value) => typeof value === 'string')
}

/** The policy is parsed again, its Rego generated again: what the signature covers is then one thing, and not two. */
function artifactIn({ files, manifest }: Bundle, metadata: BundleMetadata): Artifact {
  const sources = metadata.sources.map((source) => sourceIn(files, source))
  const known = new Set([
    dataPath,
    wasmPath,
    manifestPath,
    signaturesPath,
    ...metadata.sources.map(({ path }) => path.slice(1)),
  ])
  const odd = files.find(({ path }) => !known.has(path) && kindOf(path) !== 'rego')
  if (odd) throw differs(`\`${odd.path}\` is no part of a policy`)
  const wasm = fileAt(files, wasmPath)
  if (!wasm || hash('sha256', wasm.bytes) !== metadata.wasm.sha256)
    throw differs(`\`${wasmPath}\` is not what the manifest binds`)
  const { policy, diagnostics } = parsedSources(sources)
  if (!policy) throw new PolicyError(diagnostics)
  const { modules, data, entrypoint } = regoOf(policy, rootOf(metadata.entrypoint))
  if (entrypoint !== metadata.entrypoint) throw differs('its entrypoint is another')
  if (String(manifest.roots) !== String(rootsOf(entrypoint))) throw differs('its roots are not those of its Rego')
  requireSame(files, modules, data, metadata)
  const { opa, digest } = metadata.compiler
  return sealArtifact({
    compiler: { opa, digest },
    sources,
    policy,
    modules,
    data,
    entrypoint,
    wasm: new Uint8Array(wasm.bytes),
  })
}

function sourceIn(files: readonly BundleFile[], { name, path, sha256, beside }: SourceFile): Source {
  const file = path.startsWith('/') ? fileAt(files, path.slice(1)) : undefined
  if (!file || hash('sha256', file.bytes) !== sha256)
    throw differs(`the source \`${name}\` is not what the manifest binds`)
  return { name, text: Buffer.from(file.bytes).toString('utf8'), ...(beside && { beside: true }) }
}

function parsedSources(sources: readonly Source[]) {
  const beside = (name: string) => {
    const found = sources.find((source) => source.beside && source.name === name)
    if (!found) throw differs(`the source \`${name}\` is not there`)
    return found.text
  }
  const files = sources.filter((source) => !source.beside)
  return parsePolicies(files.map(({ name, text }) => ({ file: name, text, beside })))
}

function requireSame(
  files: readonly BundleFile[],
  modules: Artifact['modules'],
  data: Json,
  metadata: BundleMetadata,
): void {
  const found = new Map(
    files
      .filter(({ path }) => kindOf(path) === 'rego')
      .map(({ path, bytes }) => [path, Buffer.from(bytes).toString('utf8')]),
  )
  for (const [path, text] of Object.entries(modules)) {
    if (found.get(path) !== text) throw differs(`\`${path}\` is not what Tollgate makes of the sources`, metadata)
    found.delete(path)
  }
  const [more] = found.keys()
  if (more !== undefined) throw differs(`Tollgate makes no \`${more}\` of the sources`, metadata)
  const file = fileAt(files, dataPath)
  if (!file || canonical(readValue(dataPath, file.bytes)) !== canonical(data))
    throw differs(`\`${dataPath}\` is not what Tollgate makes of the sources`, metadata)
  if (regoDigest(modules, data) !== metadata.rego_sha256) throw differs('the Rego is not what the manifest binds')
}

function differs(why: string, made?: BundleMetadata): TollgateError {
  const hint = made ? `; it was built by Tollgate ${made.version}: build it again with this version` : ''
  return new TollgateError('bundle_content_differs', `the bundle does not hold together: ${why}${hint}`)
}
