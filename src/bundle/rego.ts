/**
 * A bundle of Rego that others wrote to a policy (`docs/rego.md`): one of its rules decides, by the module that `opa build`
 * made of it, or by what our compiler makes of its Rego. What OPA would evaluate is what is evaluated here.
 */
import { isUtf8 } from 'node:buffer'
import { hash } from 'node:crypto'
import { compileCached } from '../compile/cache.ts'
import { compilerFolder, readIdentity } from '../compile/module.ts'
import { canonical, type Json } from '../model/canonical.ts'
import { messageOf, TollgateError } from '../model/errors.ts'
import { isObject } from '../model/message/json.ts'
import type { RegoPolicy } from '../model/rego.ts'
import { type Bundle, fileAt } from '../opa/bundle.ts'
import { dataIn } from '../opa/data.ts'
import { type BundleFile, kindOf } from '../opa/files.ts'
import { invalid, isBelow, type Manifest } from '../opa/manifest.ts'
import { type Artifact, sealArtifact } from './artifact.ts'

/** `wanted`: the rules that whoever loads bundles lets decide; none: the bundle says which. Throws a `TollgateError` (`bundle_*`). */
export async function regoArtifact(bundle: Bundle, wanted: readonly string[]): Promise<Artifact> {
  const { files, manifest } = bundle
  const modules = modulesIn(files)
  if (Object.keys(modules).length === 0 && manifest.wasm.length === 0)
    throw new TollgateError(
      'bundle_foreign',
      'the bundle holds no policy: there are neither sources of Tollgate in it nor Rego, and its manifest lists no module',
    )
  const entrypoint = entrypointOf(manifest, wanted)
  const data = dataIn(files, manifest.roots)
  const { wasm, compiler } = await moduleOf(bundle, { modules, data, entrypoint })
  const policy: RegoPolicy = {
    strategy: 'rego',
    language: 'rego',
    id: entrypoint,
    version: manifest.revision,
    entrypoint,
    digest: hash('sha256', canonical({ wasm: hash('sha256', wasm), data } as Json)),
  }
  return sealArtifact({ compiler, sources: [], policy, modules, data, entrypoint, wasm })
}

/** Of an artifact of Rego by others: was its module made of the Rego here, as the bundle has none? */
export function isCompiledHere({ compiler }: Artifact): boolean {
  return compiler.digest !== ''
}

/** As OPA spells them: names with slashes between them. */
export function isEntrypoint(text: string): boolean {
  const parts = text.split('/')
  const isSpelt = text.length <= 512 && !/\p{C}|^data\./u.test(text)
  return isSpelt && parts.every((part) => !['', '.', '..'].includes(part))
}

/**
 * Said by name, by the bundle or by whoever loads it: what a key has signed for something else, and says yes to what it does
 * not know, must not become a policy by standing in the place of one.
 */
function entrypointOf({ wasm, roots, metadata }: Manifest, wanted: readonly string[]): string {
  const listed = wasm.map(({ entrypoint }) => entrypoint)
  const said = saidIn(metadata['tollgate'])
  const named = wanted.length > 0 ? wanted : said === undefined ? [] : [said]
  const fitting = new Set(
    listed.length > 0
      ? named.filter((one) => listed.includes(one))
      : named.filter((one) => roots.some((root) => isBelow(one, root))),
  )
  const [only, other] = fitting
  if (only !== undefined && other === undefined && isEntrypoint(only)) return only
  throw new TollgateError('bundle_entrypoint_missing', sentence(named, listed, fitting.size))
}

/** `metadata.tollgate.entrypoint` of the manifest, where the bundle says it itself. */
function saidIn(own: Json | undefined): string | undefined {
  if (own === undefined) return undefined
  const said = isObject(own) ? own['entrypoint'] : undefined
  if (typeof said === 'string') return said
  throw invalid('`metadata.tollgate` has no text `entrypoint`')
}

function sentence(named: readonly string[], listed: readonly string[], fitting: number): string {
  const list = (names: readonly string[]) => names.map((name) => `\`${name}\``).join(', ')
  const has = listed.length === 0 ? '' : `; it has ${list(listed)}`
  const say = 'say it with `--entrypoint PACKAGE/RULE`, or in its manifest as `metadata.tollgate.entrypoint`'
  if (fitting > 1) return `several of the rules that may decide, ${list(named)}, are in the bundle: name one`
  if (named.length === 0) return `nobody says which rule of the bundle decides: ${say}${has}`
  const none = listed.length === 0 ? 'is none below the roots of the bundle' : 'is no entrypoint of the bundle'
  return `the rule that is to decide, ${list(named)}, ${none}${has}`
}

interface Parts {
  readonly modules: Artifact['modules']
  readonly data: Json
  readonly entrypoint: string
}

/** The module that the manifest lists for the entrypoint. One that it does not list OPA passes over, and so do we. */
async function moduleOf(bundle: Bundle, parts: Parts): Promise<Pick<Artifact, 'wasm' | 'compiler'>> {
  const { files, manifest } = bundle
  const listed = manifest.wasm.find(({ entrypoint }) => entrypoint === parts.entrypoint)
  const file = listed && fileAt(files, listed.module.slice(1))
  // Which compiler made it nobody can tell.
  if (file) return { wasm: new Uint8Array(file.bytes), compiler: { opa: '', digest: '' } }
  if (manifest.regoVersion === 0)
    throw refused('it is of version 0 of the language: `opa build -t wasm -e PACKAGE/RULE` makes a module of it')
  const { modules, data, entrypoint } = parts
  try {
    const { wasm } = await compileCached({ modules, data: data as Record<string, unknown>, entrypoints: [entrypoint] })
    const { opa, digest } = readIdentity(compilerFolder)
    return { wasm, compiler: { opa, digest } }
  } catch (cause) {
    if (!(cause instanceof TollgateError) || cause.code !== 'compile_failed') throw cause
    if (/^entrypoint .* does not refer to a rule/.test(cause.message))
      throw new TollgateError(
        'bundle_entrypoint_missing',
        `the Rego of the bundle has no rule \`${entrypoint}\`: name one that it has with \`--entrypoint PACKAGE/RULE\``,
        { cause },
      )
    throw refused(`it does not compile here: ${messageOf(cause)}`, cause)
  }
}

function refused(why: string, cause?: unknown): TollgateError {
  return new TollgateError('bundle_rego_refused', `the Rego of the bundle is refused: ${why}`, { cause })
}

function modulesIn(files: readonly BundleFile[]): Artifact['modules'] {
  const found = files.filter(({ path }) => kindOf(path) === 'rego')
  const odd = found.find(({ bytes }) => !isUtf8(bytes))
  if (odd) throw refused(`\`${odd.path}\` is not UTF-8`)
  return Object.fromEntries(found.map(({ path, bytes }) => [path, Buffer.from(bytes).toString('utf8')]))
}
