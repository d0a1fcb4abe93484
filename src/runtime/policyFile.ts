/** A policy file: read once, or watched. Everything that can be wrong with it is an error with its place. */
import { closeSync, constants, fstatSync, openSync, readSync, statSync } from 'node:fs'
import { dirname, resolve, sep } from 'node:path'
import type { Artifact } from '../bundle/artifact.ts'
import { encodeArtifact } from '../bundle/artifact.ts'
import { keep, keptName, readKept } from '../bundle/kept.ts'
import { messageOf, TollgateError } from '../model/errors.ts'
import { policyBytesMax } from '../model/limits.ts'
import { BundleError } from '../opa/errors.ts'
import { isGzip } from '../opa/files.ts'
import { bundleBytesMax } from '../opa/limits.ts'
import { engineOf } from '../pdp/ask.ts'
import type { ActivePolicy } from '../pep/gate.ts'
import type { TrustNow } from './bundleFile.ts'

/** A policy file that cannot be read; `fault` is why, without its name. */
export class PolicyFileError extends TollgateError {
  override readonly name = 'PolicyFileError'
  readonly fault: string
  readonly tooLarge: boolean

  constructor(file: string, fault: string, { tooLarge = false, cause }: { tooLarge?: boolean; cause?: unknown } = {}) {
    super('policy_unreadable', `\`${file}\`: ${fault}`, cause === undefined ? undefined : { cause })
    this.fault = fault
    this.tooLarge = tooLarge
  }
}

/** How files are read that decide. */
export interface Reading {
  /** Without it no bundle is believed. */
  readonly trust?: TrustNow
  /** Nothing but bundles decides: a policy file in the place of one would be a way around its signature. */
  readonly bundlesOnly?: boolean
  /** Nothing but regular files: whoever opens a pipe again waits for a writer that never comes, and so does all that it does. */
  readonly regularOnly?: boolean
}

/** The bytes of a policy file or a bundle, never more of them than it may have. Throws `policy_unreadable`. */
export function readPolicyFile(file: string, { regularOnly = false }: Pick<Reading, 'regularOnly'> = {}): Uint8Array {
  try {
    return readBounded(file, regularOnly)
  } catch (cause) {
    if (cause instanceof PolicyFileError) throw cause
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT'
    throw new PolicyFileError(file, missing ? 'there is no such file' : messageOf(cause), { cause })
  }
}

function readBounded(file: string, regularOnly: boolean): Uint8Array {
  const found = statSync(file)
  if (found.isDirectory()) throw new PolicyFileError(file, 'it is a directory, name the files in it')
  const irregular = () => new PolicyFileError(file, 'it is no regular file: what is read again has to be one')
  if (regularOnly && !found.isFile()) throw irregular()
  // It may become a pipe before it is opened: then nobody waits for a writer.
  const descriptor = openSync(file, found.isFile() ? constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) : 'r')
  try {
    if (found.isFile() && !fstatSync(descriptor).isFile()) throw irregular()
    // A pipe or a device has no size that could be asked before.
    const bytes = readUpTo(descriptor, found.isFile() ? found.size + 1 : 64 * 1024)
    const most = isGzip(bytes) ? bundleBytesMax : policyBytesMax
    if (bytes.length > most) throw tooLarge(file, found.isFile() ? `${found.size} bytes` : 'more bytes', most)
    return bytes
  } finally {
    closeSync(descriptor)
  }
}

/** All bytes, or some more than any policy may have. */
function readUpTo(descriptor: number, expected: number): Uint8Array {
  const most = bundleBytesMax + 1
  let bytes = Buffer.alloc(Math.min(expected, most))
  let length = 0
  for (;;) {
    const read = readSync(descriptor, bytes, length, bytes.length - length, null)
    length += read
    if (read === 0 || length === most) return bytes.subarray(0, length)
    if (length === bytes.length)
      bytes = Buffer.concat([bytes, Buffer.alloc(Math.min(bytes.length, most - bytes.length))])
    // What is no bundle needs not be read to the end to be too large.
    if (!isGzip(bytes) && length > policyBytesMax) return bytes.subarray(0, length)
  }
}

function tooLarge(file: string, found: string, most: number): PolicyFileError {
  return new PolicyFileError(file, `it has ${found}, at most ${most} are read`, { tooLarge: true })
}

/** Reads, parses and compiles, or finds it done. Throws a `PolicyError`, a `CompileError`, or `policy_unreadable`. */
export function loadPolicyFile(file: string): Promise<Artifact> {
  return loadPolicyFiles([file])
}

/** The same for files that make one policy, the first of which is the base; or for one bundle, which is verified. */
export async function loadPolicyFiles(files: readonly string[], reading: Reading = {}): Promise<Artifact> {
  const { trust, bundlesOnly } = reading
  const sources = readSources(files, reading)
  const bundle = sources.find(({ text }) => isGzip(text))
  if (bundle) {
    requireAlone(bundle.path, files)
    const { openBundleFile } = await import('./bundleFile.ts')
    return (await openBundleFile(bundle.path, bundle.text, trust)).artifact
  }
  if (bundlesOnly) await requireUnsignedAllowed(files, trust)
  const name = keptName(sources)
  const kept = readKept(name)
  if (kept !== undefined) return kept
  const artifact = await built(sources, reading)
  // What stands in files that these name is no part of the name under which it would be found.
  if (artifact.sources.length === files.length) keep(name, artifact)
  return artifact
}

/** The same for what stands in no file, and has a name all the same. */
export async function loadPolicyText(name: string, text: string | Uint8Array, trust?: TrustNow): Promise<Artifact> {
  if (typeof text !== 'string' && isGzip(text)) {
    const { openBundleFile } = await import('./bundleFile.ts')
    return (await openBundleFile(name, text, trust)).artifact
  }
  await requireUnsignedAllowed([name], trust)
  const { buildPolicy } = await import('../bundle/build.ts')
  return buildPolicy({ name, text })
}

/** The same for policy files alone, with their Rego under a root of its own where one is named (`bundle/root.ts`). */
export async function buildPolicyFiles(files: readonly string[], root?: string): Promise<Artifact> {
  if (root === undefined) return loadPolicyFiles(files)
  return built(readSources(files, {}), {}, root)
}

interface FileRead {
  readonly name: string
  readonly path: string
  readonly text: Uint8Array
}

function readSources(files: readonly string[], reading: Reading): readonly FileRead[] {
  const names = sourceNames(files)
  return files.map((path, index) => ({ name: names[index] as string, path, text: readPolicyFile(path, reading) }))
}

async function built(sources: readonly FileRead[], reading: Reading, root?: string): Promise<Artifact> {
  const { buildMerged } = await import('../bundle/build.ts')
  const texts = sources.map((source) => ({ ...source, beside: readBeside(source.path, reading) }))
  return buildMerged(texts, root)
}

/** Throws `bundle_unsigned`. */
async function requireUnsignedAllowed([file = '']: readonly string[], trust: TrustNow | undefined): Promise<void> {
  const { keys, allowUnsigned } = (await trust?.()) ?? { keys: [], allowUnsigned: true }
  if (keys.length === 0 && allowUnsigned) return
  throw new BundleError(
    'bundle_unsigned',
    `\`${file}\` is no bundle, so nobody signed it: a gate that is told whose bundles it believes takes nothing else`,
  )
}

function requireAlone(bundle: string, files: readonly string[]): void {
  if (files.length > 1)
    throw new PolicyFileError(bundle, 'a bundle is a whole policy and is not merged: give each its own `--layer`')
}

/** The last parts of the paths, as many as it takes to tell the files apart: a name is part of the revision, a folder is not. */
function sourceNames(files: readonly string[]): readonly string[] {
  const paths = files.map((file) => resolve(file).split(sep))
  const twice = files.find((_, index) => new Set(paths.slice(0, index + 1).map(String)).size <= index)
  if (twice !== undefined) throw new PolicyFileError(twice, 'it is named twice')
  const longest = Math.max(...paths.map((path) => path.length))
  for (let parts = 1; parts < longest; parts++) {
    const names = paths.map((path) => path.slice(-parts).join('/'))
    if (new Set(names).size === names.length) return names
  }
  return paths.map((path) => path.join('/'))
}

/** Reads a file that a policy file names. */
export function readBeside(file: string, reading?: Reading): (name: string) => Uint8Array {
  return (name) => readPolicyFile(pathBeside(file, name), reading)
}

function pathBeside(file: string, name: string): string {
  return resolve(dirname(file), name)
}

/** The files that a policy file may name, as far as its text shows without being parsed. */
export function namedFiles(file: string, text: Uint8Array): readonly string[] {
  const found = Buffer.from(text)
    .toString('utf8')
    .matchAll(/^[\s{,]*["']?(?:pack|manifest)["']?\s*:\s*["']?([^"'\n#,}]+?)["']?\s*[,}]?\s*(?:#.*)?$/gm)
  return [...found].map(([, name = '']) => pathBeside(file, name.trim()))
}

/** A compiled policy, ready to be asked. Throws `engine_unloadable`. */
export function activePolicy(artifact: Artifact): ActivePolicy {
  const engine = engineOf(artifact)
  return {
    revision: artifact.revision,
    policy: artifact.policy,
    wasmDigest: artifact.wasmDigest,
    sources: artifact.sources.map(({ name }) => name),
    evaluate: (input) => engine.evaluate(input),
    encoded: () => encodeArtifact(artifact),
  }
}
