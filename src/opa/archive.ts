/** A gzip-compressed tar archive to files: bounded, and strict where two readers of one archive could see different files. */
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { messageOf } from '../model/errors.ts'
import { BundleError } from './errors.ts'
import { type BundleFile, isGzip } from './files.ts'
import { bundleBytesMax, unpackedBytesMax } from './limits.ts'
import { readTar } from './tar.ts'

/** Throws a `BundleError`. Decompression runs beside the event loop. */
export async function unpack(bytes: Uint8Array): Promise<readonly BundleFile[]> {
  if (bytes.length > bundleBytesMax)
    throw new BundleError(
      'bundle_too_large',
      `the bundle has ${bytes.length} bytes, at most ${bundleBytesMax} are read`,
    )
  if (!isGzip(bytes)) throw new BundleError('bundle_unreadable', `the bundle is not gzip-compressed${guess(bytes)}`)
  return readTar(await inflated(bytes))
}

interface Inflated {
  readonly buffer: Buffer
  readonly engine: { readonly bytesWritten: number }
}

async function inflated(bytes: Uint8Array): Promise<Buffer> {
  const { buffer, engine } = await gunzipping(bytes).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ERR_BUFFER_TOO_LARGE')
      throw new BundleError('bundle_too_large', `the bundle unpacks to more than ${unpackedBytesMax} bytes`)
    throw new BundleError('bundle_unreadable', `the bundle cannot be unpacked: ${messageOf(cause)}`, { cause })
  })
  // Node skips what follows the last member, where other readers fail.
  if (engine.bytesWritten !== bytes.length)
    throw new BundleError('bundle_unreadable', 'the bundle has bytes behind its end')
  return buffer
}

async function gunzipping(bytes: Uint8Array): Promise<Inflated> {
  const options = { maxOutputLength: unpackedBytesMax, info: true }
  return (await promisify(gunzip)(bytes, options)) as unknown as Inflated
}

/** What servers send in the place of a bundle, and people name. */
export function guess(bytes: Uint8Array): string {
  const head = Buffer.from(bytes.subarray(0, 64)).toString('latin1').trimStart().toLowerCase()
  if (bytes.length === 0) return ': it is empty'
  if (head.startsWith('<')) return ': it looks like HTML'
  if (head.startsWith('{')) return ': it looks like JSON'
  return /^[\t\n\r\x20-\x7e]+$/.test(head)
    ? ': it looks like text, and `tollgate build` makes a bundle of a policy file'
    : ''
}
