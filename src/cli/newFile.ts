/** Writes a file that is there whole or not at all, and replaces another one only when told to. */
import { randomUUID } from 'node:crypto'
import {
  constants,
  copyFileSync,
  linkSync,
  lstatSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { messageOf, TollgateError } from '../model/errors.ts'

export interface NewFile {
  readonly file: string
  /** Replace a file that is there. */
  readonly force: boolean
}

/** Throws `output_exists` or `output_unwritable` for what would fail later: nobody waits for a scan that goes nowhere. */
export function refuseFile({ file, force }: NewFile): void {
  const folder = dirname(file)
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    throw new TollgateError('output_unwritable', `\`${file}\` cannot be written: there is no folder \`${folder}\``)
  if (!lstatSync(file, { throwIfNoEntry: false })) return
  if (!force) throw exists(file)
  // A device or a pipe must not be replaced by a file.
  if (!statSync(file, { throwIfNoEntry: false })?.isFile())
    throw new TollgateError('output_unwritable', `\`${file}\` cannot be written: it is no regular file`)
}

export function writeNewFile(target: NewFile, content: string | Uint8Array): void {
  refuseFile(target)
  const { file, force } = target
  const place = force && lstatSync(file, { throwIfNoEntry: false }) ? realpathSync(file) : file
  const temporary = `${place}.${randomUUID()}.tmp`
  try {
    writeFileSync(temporary, content, { flag: 'wx' })
    if (force) renameSync(temporary, place)
    else linkNew(temporary, place)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') throw exists(file)
    throw new TollgateError('output_unwritable', `\`${file}\` cannot be written: ${messageOf(cause)}`, { cause })
  } finally {
    rmSync(temporary, { force: true })
  }
}

/** A link fails where a file has appeared meanwhile; a rename would replace it. Not every file system has links. */
function linkNew(from: string, to: string): void {
  try {
    linkSync(from, to)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw error
    copyFileSync(from, to, constants.COPYFILE_EXCL)
  }
}

function exists(file: string): TollgateError {
  return new TollgateError(
    'output_exists',
    `\`${file}\` is there already: replace it with \`--force\`, or name another`,
  )
}
