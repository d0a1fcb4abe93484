/**
 * Proof of life. Every process that has the ledger open holds a lock on a small file beside it, and the kernel drops
 * the lock when the process ends, however it ends. That holds across containers and after a pid was given to another.
 * SQLite takes the lock, since Node cannot. All of this happens under the write lock of the ledger.
 */
import { closeSync, openSync, rmSync } from 'node:fs'
import Database from 'better-sqlite3'

/** Undefined when somebody holds the lock. Throws the errors of SQLite and the file system. */
export function holdLock(path: string): Database.Database | undefined {
  createLockFile(path)
  const lock = new Database(path, { timeout: 0 })
  try {
    lock.pragma('journal_mode = MEMORY') // or the lock would have a second file beside it
    lock.exec('BEGIN EXCLUSIVE')
    return lock
  } catch (thrown) {
    lock.close()
    if (thrown instanceof Database.SqliteError && thrown.code.startsWith('SQLITE_BUSY')) return undefined
    throw thrown
  }
}

/** The file goes while the lock is held, so that nobody can be given the lock of a file that is going. */
export function dropLock(lock: Database.Database): void {
  rmSync(lock.name, { force: true })
  lock.close()
}

/** Is it certain that nobody holds this lock? Then its file is removed. What cannot be told counts as alive. */
export function isAbandoned(path: string): boolean {
  try {
    const lock = holdLock(path)
    if (lock) dropLock(lock)
    return lock !== undefined
  } catch {
    return false
  }
}

function createLockFile(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600))
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST') throw thrown
  }
}
