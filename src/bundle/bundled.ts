/** A compiled policy as the files of a bundle: what a stock `opa` evaluates, what we evaluate, and the proof that they are one. */
import { hash } from 'node:crypto'
import { canonical, type Json } from '../model/canonical.ts'
import { type BundleFile, dataPath, kindOf, manifestPath, wasmPath } from '../opa/files.ts'
import { manifestText } from '../opa/manifest.ts'
import type { Artifact } from './artifact.ts'

/** Where the sources are, so that OPA takes none of them for a file of its own. */
const sourcesFolder = 'tollgate/sources'

/** `metadata.tollgate` of the manifest. Not in `wasm`: an `opa` without an engine loads the bundle too. */
export interface BundleMetadata {
  readonly format: 1
  readonly version: string
  readonly entrypoint: string
  readonly wasm: { readonly path: string; readonly sha256: string; readonly abi: string }
  /** Of all modules and the data together. */
  readonly rego_sha256: string
  readonly compiler: { readonly opa: string; readonly digest: string }
  readonly sources: readonly SourceFile[]
}

export interface SourceFile {
  readonly name: string
  readonly path: string
  readonly sha256: string
  /** See `Source`. */
  readonly beside?: true
}

export interface Bundling {
  /** Of the bundle; that of the policy unless told otherwise. */
  readonly revision?: string
  /** Of Tollgate. */
  readonly version: string
}

/** The part of `data` that a policy owns. */
export function rootsOf(entrypoint: string): readonly string[] {
  return [entrypoint.slice(0, entrypoint.lastIndexOf('/'))]
}

/** What the module that our compiler writes has. */
const abi = '1.3'

/** In the order in which OPA writes a bundle. */
export function bundleFiles(
  artifact: Artifact,
  { revision = artifact.revision, version }: Bundling,
): readonly BundleFile[] {
  const { modules, data, wasm, wasmDigest, entrypoint, compiler } = artifact
  const sources = artifact.sources.map((source, index) => ({ ...source, path: sourcePath(source.name, index) }))
  const metadata: BundleMetadata = {
    format: 1,
    version,
    entrypoint,
    wasm: { path: `/${wasmPath}`, sha256: wasmDigest, abi },
    rego_sha256: regoDigest(modules, data),
    compiler,
    sources: sources.map(({ name, path, text, beside }) => ({
      name,
      path: `/${path}`,
      sha256: hash('sha256', text),
      ...(beside && { beside }),
    })),
  }
  return [
    { path: dataPath, bytes: Buffer.from(`${canonical(data)}\n`) },
    ...Object.entries(modules)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([path, text]) => ({ path, bytes: Buffer.from(text) })),
    { path: wasmPath, bytes: wasm },
    ...sources.map(({ path, text }) => ({ path, bytes: Buffer.from(text) })),
    {
      path: manifestPath,
      bytes: Buffer.from(
        manifestText({ revision, roots: rootsOf(entrypoint), metadata: { tollgate: metadata as unknown as Json } }),
      ),
    },
  ]
}

/** Over names and texts, in the order of the names. */
export function regoDigest(modules: Artifact['modules'], data: Json): string {
  return hash('sha256', canonical({ modules, data } as unknown as Json))
}

/** Names may lead elsewhere (`../pack.json`), or be ones that OPA reads (`data.json`): those get a number. */
function sourcePath(name: string, index: number): string {
  const isPlain = /^[A-Za-z0-9_][A-Za-z0-9_.-]*(?:\/[A-Za-z0-9_][A-Za-z0-9_.-]*)*$/.test(name)
  return `${sourcesFolder}/${isPlain && kindOf(name) === 'other' ? name : `+${index}`}`
}
