/** Configurations of clients on the disk: read, backed up, and replaced whole, or not at all when somebody else wrote. */
import { randomUUID } from 'node:crypto'
import {
  accessSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { backupsMax, configBytesMax } from '../init/limits.ts'
import { messageOf, TollgateError } from '../model/errors.ts'

export interface ConfigFile {
  readonly file: string
  /** The file itself, where `file` is a link to it. */
  readonly place: string
  readonly bytes: Buffer
  readonly mode: number
  readonly owner: { readonly uid: number; readonly gid: number }
}

/** Undefined when there is none. Throws `config_unreadable`. */
export function readConfigFile(file: string): ConfigFile | undefined {
  try {
    if (!statSync(file, { throwIfNoEntry: false })) return undefined
    const place = realpathSync(file)
    const found = statSync(place)
    if (!found.isFile()) throw new Error('it is no regular file')
    if (found.size > configBytesMax) throw new Error(`it has ${found.size} bytes, at most ${configBytesMax} are read`)
    const { mode, uid, gid } = found
    return { file, place, bytes: readFileSync(place), mode: mode & 0o7777, owner: { uid, gid } }
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOTDIR') return undefined
    throw new TollgateError('config_unreadable', `\`${file}\` cannot be read: ${messageOf(cause)}`, { cause })
  }
}

/** The backups beside a file that can be read, the newest first. */
export function backupsOf({ place }: ConfigFile): readonly Buffer[] {
  return backupNumbers(place)
    .toReversed()
    .flatMap((number) => {
      try {
        return [readFileSync(backupName(place, number))]
      } catch {
        return []
      }
    })
}

/** Keeps the bytes as they are beside the file, unless a backup has them already. Throws `config_unwritable`. */
export function keepBackup({ place, bytes, mode, owner }: ConfigFile): string {
  try {
    const numbers = backupNumbers(place)
    const same = numbers.findLast((number) => readFileSync(backupName(place, number)).equals(bytes))
    if (same !== undefined) return backupName(place, same)
    if (numbers.length >= backupsMax) throw new Error(`there are ${numbers.length} already, move some away`)
    const backup = backupName(place, (numbers.at(-1) ?? 0) + 1)
    writeWhole(backup, bytes, mode, owner)
    return backup
  } catch (cause) {
    const why = `no backup of \`${place}\` can be written: ${messageOf(cause)}`
    throw new TollgateError('config_unwritable', why, { cause })
  }
}

/** Throws `config_changed` when the file is not what was read, and `config_unwritable`. */
export function replaceConfigFile(config: ConfigFile, text: string): void {
  const { file, place, mode, owner } = config
  const temporary = join(dirname(place), `.${basename(place)}.${randomUUID()}.tmp`)
  try {
    accessSync(place, constants.W_OK)
    writeWhole(temporary, Buffer.from(text), mode, owner)
    requireUnchanged(config)
    renameSync(temporary, place)
  } catch (cause) {
    if (cause instanceof TollgateError) throw cause
    throw new TollgateError('config_unwritable', `\`${file}\` cannot be written: ${messageOf(cause)}`, { cause })
  } finally {
    rmSync(temporary, { force: true })
  }
}

function requireUnchanged({ file, place, bytes }: ConfigFile): void {
  if (realpathSync(file) === place && readFileSync(place).equals(bytes)) return
  throw new TollgateError('config_changed', `\`${file}\` was changed meanwhile and is left as it is: try again`)
}

function writeWhole(file: string, bytes: Uint8Array, mode: number, owner: ConfigFile['owner']): void {
  const open = openSync(file, 'wx', mode)
  try {
    writeFileSync(open, bytes)
    // The mask of the process may have taken bits away.
    fchmodSync(open, mode)
    if (process.getuid?.() === 0) fchownSync(open, owner.uid, owner.gid)
    fsyncSync(open)
  } finally {
    closeSync(open)
  }
}

const mark = '.tollgate-backup-'

function backupName(place: string, number: number): string {
  return `${place}${mark}${number}`
}

function backupNumbers(place: string): readonly number[] {
  const start = `${basename(place)}${mark}`
  return readdirSync(dirname(place))
    .flatMap((name) => (name.startsWith(start) && /^[1-9]\d{0,8}$/.test(name.slice(start.length)) ? [name] : []))
    .map((name) => Number(name.slice(start.length)))
    .sort((a, b) => a - b)
}
