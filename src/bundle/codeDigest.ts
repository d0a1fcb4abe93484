/** What can change what a policy file becomes, as a digest: our code, the libraries that read the file, and the compiler. */
import { createHash, type Hash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { findPackageJSON } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { compilerFolder, readIdentity } from '../compile/module.ts'

/** Where the build leaves the digest of the code that it built: to read all of it takes a gate a tenth of its start. */
export const builtFile = here('./code.sha256')

/** What is read as it lies there, without a build, is looked at each time. */
export function codeDigest(): string {
  const digest = createHash('sha256').update(readIdentity(compilerFolder).digest)
  digest.update(builtDigest() ?? sourceDigest())
  addFiles(digest, here('../../rego'))
  for (const library of ['yaml', 're2js']) {
    const manifest = findPackageJSON(library, import.meta.url)
    if (manifest === undefined) throw new TypeError(`no package \`${library}\``)
    digest.update(readFileSync(manifest))
  }
  return digest.digest('hex')
}

/** Of all our code that has a part in it. */
export function sourceDigest(): string {
  const digest = createHash('sha256')
  for (const folder of ['../model', '../policy', '../codegen', '../compile', '.']) addFiles(digest, here(folder))
  return digest.digest('hex')
}

/** Undefined where the sources run as they are. */
function builtDigest(): string | undefined {
  try {
    return readFileSync(builtFile, 'latin1')
  } catch {
    return undefined
  }
}

function addFiles(digest: Hash, folder: string): void {
  for (const name of filesIn(folder).sort()) {
    if (/(?<!\.d)\.(js|ts|rego)$/.test(name)) digest.update(`${name}\n`).update(readFileSync(join(folder, name)))
  }
}

/** Names of files at any depth. Node's own `recursive` takes several times as long in a process that has just started. */
function filesIn(folder: string, below = ''): string[] {
  return readdirSync(join(folder, below), { withFileTypes: true }).flatMap((entry) => {
    const name = join(below, entry.name)
    return entry.isDirectory() ? filesIn(folder, name) : [name]
  })
}

/** Beside the sources and beside dist/ alike, so the same paths serve both. */
function here(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url))
}
