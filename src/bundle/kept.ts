/**
 * Artifacts of policy files in the cache folder, so that a gate whose policy was built before starts without the
 * languages and the code generator. An artifact is a pure function of the file and of the code that builds it, and is
 * found by the digest of both; what is found was checked as every entry of the folder is (`compile/entries.ts`).
 */
import { createHash, hash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { findPackageJSON } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readEntry, writeEntry } from '../compile/entries.ts'
import { compilerFolder, readIdentity } from '../compile/module.ts'
import { type Artifact, encodeArtifact, parseArtifact } from './artifact.ts'

/** A policy file: its name goes into the artifact. */
export interface PolicyFile {
  readonly name: string
  readonly text: Uint8Array
}

/** Where what the files become together is kept, as of the code that runs now. */
export function keptName(files: readonly PolicyFile[]): string {
  const named = files.map(({ name, text }) => [name, hash('sha256', text)])
  return `${hash('sha256', JSON.stringify([named, codeDigest()]))}.artifact`
}

/** Undefined when no earlier run kept one, or it cannot be trusted. */
export function readKept(name: string): Artifact | undefined {
  const bytes = readEntry(name)
  try {
    return bytes && parseArtifact(bytes) // the entry was proved to be whole
  } catch {
    return undefined
  }
}

export function keep(name: string, artifact: Artifact): void {
  writeEntry(name, encodeArtifact(artifact))
}

/** Beside the sources and beside dist/ alike, so the same paths serve both. */
const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** Whatever can change what a policy file becomes: our code, the libraries that read it, and the compiler. */
function codeDigest(): string {
  const digest = createHash('sha256').update(readIdentity(compilerFolder).digest)
  for (const folder of ['../model', '../policy', '../codegen', '../compile', '.', '../../rego']) {
    for (const name of filesIn(here(folder)).sort()) {
      if (/(?<!\.d)\.(js|ts|rego)$/.test(name))
        digest.update(`${name}\n`).update(readFileSync(join(here(folder), name)))
    }
  }
  for (const library of ['yaml', 're2js']) {
    const manifest = findPackageJSON(library, import.meta.url)
    if (manifest === undefined) throw new TypeError(`no package \`${library}\``)
    digest.update(readFileSync(manifest))
  }
  return digest.digest('hex')
}

/** Names of files at any depth. Node's own `recursive` takes several times as long in a process that has just started. */
function filesIn(folder: string, below = ''): string[] {
  return readdirSync(join(folder, below), { withFileTypes: true }).flatMap((entry) => {
    const name = join(below, entry.name)
    return entry.isDirectory() ? filesIn(folder, name) : [name]
  })
}
