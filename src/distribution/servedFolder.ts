/** The bundles of a folder, read when their files change. */
import { hash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { pause } from '../http/pause.ts'
import { bundleBytesMax } from '../opa/limits.ts'
import { servedBundlesMax, servedLookMs } from './limits.ts'

export interface Served {
  readonly etag: string
  readonly bytes: Uint8Array
}

interface Known extends Served {
  readonly signature: string
}

export class ServedFolder {
  readonly #folder: string
  readonly #known = new Map<string, Known>()

  constructor(folder: string) {
    this.#folder = folder
  }

  /** Undefined for one that is not there, or is no file that can be served. */
  bundle(name: string): Served | undefined {
    const path = join(this.#folder, `${name}.tar.gz`)
    const signature = signatureOf(path)
    if (signature === undefined) {
      this.#known.delete(name)
      return undefined
    }
    const known = this.#known.get(name)
    if (known?.signature === signature) return known
    const bytes = readFileSync(path)
    const read = { signature, bytes, etag: `"${hash('sha256', bytes)}"` }
    const [oldest] = this.#known.keys()
    if (this.#known.size >= servedBundlesMax && oldest !== undefined) this.#known.delete(oldest)
    this.#known.set(name, read)
    return read
  }

  /** What the folder has once it is new, or when the signal ends the wait. */
  async changed(name: string, isNew: (served: Served) => boolean, signal: AbortSignal): Promise<Served | undefined> {
    for (;;) {
      const found = this.bundle(name)
      if (signal.aborted || (found && isNew(found))) return found
      await pause(servedLookMs, signal)
    }
  }
}

function signatureOf(path: string): string | undefined {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false })
  if (!found?.isFile() || found.size > bundleBytesMax) return undefined
  return `${found.dev} ${found.ino} ${found.size} ${found.mtimeNs}`
}
