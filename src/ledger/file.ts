/** Opens the file of a ledger: creates it, refuses what is no ledger of ours, and sets how it is written. */
import { accessSync, closeSync, constants, mkdirSync, openSync, realpathSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import Database from 'better-sqlite3'
import { TollgateError } from '../model/errors.ts'
import { ledgerBusyMs } from '../model/limits.ts'
import { applicationId, migrate, schemaVersion } from './schema.ts'

export interface FileOptions {
  /** A path, or `:memory:`. */
  readonly file: string
  /** What a committed transaction survives: the end of the process, or a power cut too (an fsync each). */
  readonly durability: 'process' | 'power'
  /** Looks and writes nothing, not even a migration. */
  readonly readOnly: boolean
}

/**
 * The log is copied into the file each time it has grown by 16 MB, by the call that finds it so: about one in a thousand
 * waits some 10 ms for the disk, and after a crash as much is read again. Less often means longer, more often more calls.
 */
const checkpointPages = 4_000

/** A transaction touches the ends of a few trees, whatever their size; better-sqlite3 would keep 16 MB. */
const cacheKb = 2_000

/** An empty ledger in memory is copied: to make its tables takes longer than to judge some calls, and tests make many. */
let emptyImage: Buffer | undefined

/** Throws `ledger_newer_schema`, `ledger_corrupt`, `ledger_read_only`, and the errors of SQLite and the file system. */
export function openDatabase(options: FileOptions): Database.Database {
  const { file, durability, readOnly } = options
  if (file !== ':memory:' && !readOnly) createFile(file)
  // Whatever link leads here: every process must look for the locks of the others in one folder.
  const place = file === ':memory:' ? file : realpathSync(file)
  if (file !== ':memory:' && !readOnly) mustBeWritable(place)
  const db = new Database((file === ':memory:' && emptyImage) || place, {
    readonly: readOnly,
    fileMustExist: readOnly,
    timeout: ledgerBusyMs,
  })
  try {
    db.pragma('trusted_schema = OFF')
    // One snapshot: another process may be creating the tables at this moment.
    const version = db.transaction(() => schemaOf(db, file))()
    if (readOnly) {
      if (version !== schemaVersion) throw notMigrated(file)
      return db
    }
    useWriteAheadLog(db)
    db.pragma(`cache_size = ${-cacheKb}`)
    db.pragma(`wal_autocheckpoint = ${checkpointPages}`)
    db.pragma(`journal_size_limit = ${2 * checkpointPages * 4096}`)
    db.pragma(`synchronous = ${durability === 'power' ? 'FULL' : 'NORMAL'}`)
    if (version !== schemaVersion) migrate(db)
    if (file === ':memory:') emptyImage ??= db.serialize()
    return db
  } catch (thrown) {
    db.close()
    throw thrown
  }
}

/** Only its owner may read what agents did. A file that exists keeps the permissions it was given. */
function createFile(file: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  try {
    // Never an open of an existing file: closing it again would drop the locks that this process holds on it.
    closeSync(openSync(file, 'wx', 0o600))
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST') throw thrown
  }
}

/** SQLite would say of a read-only folder that it cannot open the file. */
function mustBeWritable(file: string): void {
  accessSync(file, constants.W_OK)
  accessSync(dirname(file), constants.W_OK)
}

/** The schema version of a ledger, 0 for an empty file. Reads the first page alone. */
function schemaOf(db: Database.Database, file: string): number {
  const id = db.pragma('application_id', { simple: true })
  const version = db.pragma('user_version', { simple: true }) as number
  if (id === applicationId && version > schemaVersion)
    throw new TollgateError(
      'ledger_newer_schema',
      `the ledger \`${file}\` has schema ${version}, this version knows ${schemaVersion}; use a newer version or another file`,
    )
  if (id === applicationId) return version
  const tables = db.prepare('SELECT count(*) FROM sqlite_schema').pluck().get()
  // SQLite takes a file of a few bytes for an empty one, and would write over it.
  const pages = db.pragma('page_count', { simple: true }) as number
  const scrap = pages === 0 && !db.memory && statSync(db.name).size > 0
  if (id === 0 && version === 0 && tables === 0 && !scrap) return 0
  throw new TollgateError('ledger_corrupt', `\`${file}\` is another program's database; choose another file`)
}

function notMigrated(file: string): TollgateError {
  return new TollgateError(
    'ledger_read_only',
    `the ledger \`${file}\` is of an earlier version; open it once for writing, so that it is brought up to date`,
  )
}

/** SQLite does not always wait here while another process creates the same ledger, so we do. */
function useWriteAheadLog(db: Database.Database): void {
  const stepMs = 10
  db.pragma('busy_timeout = 0')
  for (let waitedMs = 0; !switched(db, waitedMs >= ledgerBusyMs); waitedMs += stepMs)
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, stepMs)
  db.pragma(`busy_timeout = ${ledgerBusyMs}`)
}

function switched(db: Database.Database, isLastTry: boolean): boolean {
  try {
    db.pragma('journal_mode = WAL')
    return true
  } catch (thrown) {
    const busy = thrown instanceof Database.SqliteError && thrown.code.startsWith('SQLITE_BUSY')
    if (!busy || isLastTry) throw thrown
    return false
  }
}
