/** Archives as nobody should make them, written by hand: our own writer has no word for them. */
import { gzipSync } from 'node:zlib'

export interface Entry {
  readonly name: string
  readonly content?: string | Uint8Array
  /** The kind of the entry; `0` is a regular file. */
  readonly type?: string
  readonly link?: string
  /** What the header says, where it is not the truth. */
  readonly size?: string
  readonly prefix?: string
}

export function tar(entries: readonly Entry[]): Buffer {
  return Buffer.concat([...entries.flatMap(blocksOf), Buffer.alloc(1024)])
}

export function tarball(entries: readonly Entry[]): Buffer {
  return gzipSync(tar(entries))
}

function blocksOf({ name, content = '', type = '0', link = '', size, prefix = '' }: Entry): readonly Buffer[] {
  const bytes = Buffer.from(content as Uint8Array)
  const header = Buffer.alloc(512)
  header.write(name, 0, 100)
  header.write('0000644\x000000000\x000000000\x00', 100)
  header.write(size ?? `${bytes.length.toString(8).padStart(11, '0')}\0`, 124, 'latin1')
  header.write('00000000000\0        ', 136)
  header.write(type, 156)
  header.write(link, 157)
  header.write('ustar\x0000', 257)
  header.write(prefix, 345)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return [header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]
}
