/** Where an audit goes: to stdout as fast as it is read there, or into a file that is there whole or not at all. */
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { closeSync, fsyncSync, openSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { messageOf, TollgateError } from '../model/errors.ts'

const chunkChars = 64 * 1024

/** Writes texts in order, taking the next ones only when there is room for them. */
export async function writeTo(file: string | undefined, texts: Iterable<string>): Promise<void> {
  if (file !== undefined) {
    writeWhole(file, texts)
    return
  }
  for (const chunk of chunksOf(texts)) if (!process.stdout.write(chunk)) await once(process.stdout, 'drain')
}

/** Only its owner may read it, as with the ledger that it comes from. Throws `output_unwritable`. */
function writeWhole(file: string, texts: Iterable<string>): void {
  const place = finalPlace(file)
  const temporary = `${place}.${randomUUID()}.tmp`
  const handle = orUnwritable(file, () => openSync(temporary, 'wx', 0o600))
  try {
    for (const chunk of chunksOf(texts)) orUnwritable(file, () => writeFileSync(handle, chunk))
    orUnwritable(file, () => fsyncSync(handle))
    orUnwritable(file, () => renameSync(temporary, place))
  } catch (thrown) {
    rmSync(temporary, { force: true })
    throw thrown
  } finally {
    closeSync(handle)
  }
}

/** A link leads to the file that is replaced; a device or a pipe must not be replaced by a file. */
function finalPlace(file: string): string {
  return orUnwritable(file, () => {
    const found = statSync(file, { throwIfNoEntry: false })
    if (!found) return file
    if (!found.isFile()) throw new Error('it is no regular file')
    return realpathSync(file)
  })
}

function orUnwritable<T>(file: string, work: () => T): T {
  try {
    return work()
  } catch (cause) {
    throw new TollgateError('output_unwritable', `\`${file}\` cannot be written: ${messageOf(cause)}`, { cause })
  }
}

/** Many short texts make one write. */
function* chunksOf(texts: Iterable<string>): Generator<string> {
  let chunk = ''
  for (const text of texts) {
    chunk += text
    if (chunk.length < chunkChars) continue
    yield chunk
    chunk = ''
  }
  if (chunk !== '') yield chunk
}
