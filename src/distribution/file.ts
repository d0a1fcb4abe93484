/** A bundle in a file, or a folder that is one unpacked. It is looked at often, and read once it is still. */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { messageOf } from '../model/errors.ts'
import type { BundleFile } from '../opa/files.ts'
import { bundleBytesMax } from '../opa/limits.ts'
import { pack } from '../opa/pack.ts'
import { SourceError } from './errors.ts'
import { folderFilesMax } from './limits.ts'
import { requireGzip } from './service.ts'
import type { Answer, Question, Source } from './source.ts'

export class LocalBundle implements Source {
  readonly #path: string
  #before: string | undefined

  constructor(path: string) {
    this.#path = path
  }

  /** The ETag is what the file system says of the files: a change of it may be one of what they hold. */
  async ask({ etag }: Question): Promise<Answer> {
    const now = this.#reading(() => signatureOf(this.#path))
    const isStill = this.#before === undefined || this.#before === now
    this.#before = now
    // Half of a file that is still being written is no bundle: it is looked at once more.
    if (now === etag || !isStill) return { kind: 'same', waits: false }
    return { kind: 'found', bytes: this.#reading(() => this.#read()), etag: now, waits: false }
  }

  #read(): Uint8Array {
    if (statSync(this.#path).isDirectory()) return pack(filesIn(this.#path))
    const bytes = bounded(this.#path)
    requireGzip(bytes, this.#path)
    return bytes
  }

  #reading<T>(work: () => T): T {
    try {
      return work()
    } catch (cause) {
      if (cause instanceof SourceError) throw cause
      const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT'
      const why = missing ? 'there is no such file' : messageOf(cause)
      throw new SourceError('bundle_absent', `\`${this.#path}\`: ${why}`, { cause })
    }
  }
}

function bounded(path: string): Uint8Array {
  const found = statSync(path)
  const { size } = found
  // A pipe would be waited for, by the whole gate, and a device never ends.
  if (!found.isFile()) throw new SourceError('bundle_absent', `\`${path}\` is no regular file`)
  if (size > bundleBytesMax)
    throw new SourceError('bundle_too_large', `\`${path}\` has ${size} bytes, ${bundleBytesMax} are allowed`)
  return readFileSync(path)
}

function filesIn(folder: string): readonly BundleFile[] {
  let left = bundleBytesMax
  return namesIn(folder).map((name) => {
    const path = join(folder, name)
    left -= statSync(path).size
    if (left < 0)
      throw new SourceError(
        'bundle_too_large',
        `\`${folder}\` has more than the ${bundleBytesMax} bytes that are allowed`,
      )
    return { path: name, bytes: bounded(path) }
  })
}

/** Files at any depth, in order. Links are passed over, as in an archive: they would lead out of the bundle. */
function namesIn(folder: string, below = ''): readonly string[] {
  const names = readdirSync(join(folder, below), { withFileTypes: true }).flatMap((entry) => {
    const name = below === '' ? entry.name : `${below}/${entry.name}`
    if (entry.isDirectory()) return namesIn(folder, name)
    return entry.isFile() ? [name] : []
  })
  if (names.length > folderFilesMax)
    throw new SourceError(
      'bundle_too_large',
      `\`${folder}\` has more than the ${folderFilesMax} files that are allowed`,
    )
  return names.sort()
}

function signatureOf(path: string): string {
  if (!statSync(path).isDirectory()) return signatureOfFile(path)
  const digest = createHash('sha256')
  for (const name of namesIn(path)) digest.update(`${name}\0${signatureOfFile(join(path, name))}\n`)
  return digest.digest('hex')
}

function signatureOfFile(path: string): string {
  const { dev, ino, size, mtimeNs } = statSync(path, { bigint: true })
  return `${dev} ${ino} ${size} ${mtimeNs}`
}
