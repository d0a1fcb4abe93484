/** What SQLite and the file system say, as an error of ours: what is wrong with the ledger, and what to do. */
import Database from 'better-sqlite3'
import { messageOf, TollgateError } from '../model/errors.ts'
import { ledgerBusyMs } from '../model/limits.ts'

export type LedgerErrorCode =
  | 'ledger_busy'
  | 'ledger_full'
  | 'ledger_read_only'
  | 'ledger_corrupt'
  | 'ledger_newer_schema'
  | 'ledger_unavailable'

/** What was thrown, as an error of the ledger; what is not about the ledger is returned as it is. */
export function ledgerError(thrown: unknown, file: string): unknown {
  const code = errorCode(thrown)
  if (code === undefined) return thrown
  // A constraint is there for our own mistakes: a decision opened twice, a sum beyond a safe integer.
  if (code.startsWith('SQLITE_CONSTRAINT'))
    return new TypeError(`the ledger refused a value: ${messageOf(thrown)}`, { cause: thrown })
  const kind = kindOf(code)
  return new TollgateError(kind, sentence(kind, file, thrown), { cause: thrown })
}

function errorCode(thrown: unknown): string | undefined {
  if (thrown instanceof Database.SqliteError) return thrown.code
  // A system error of Node: `ENOSPC` and its like.
  if (thrown instanceof Error && 'syscall' in thrown && 'code' in thrown) return String(thrown.code)
  return undefined
}

function kindOf(code: string): LedgerErrorCode {
  if (/^SQLITE_(BUSY|LOCKED)/.test(code)) return 'ledger_busy'
  // Without room for its shared index SQLite reports SHMSIZE, not FULL.
  if (/^(SQLITE_FULL|SQLITE_IOERR_SHMSIZE|ENOSPC|EDQUOT)/.test(code)) return 'ledger_full'
  if (/^(SQLITE_READONLY|EROFS|EACCES|EPERM)/.test(code)) return 'ledger_read_only'
  if (/^SQLITE_(CORRUPT|NOTADB|IOERR_SHORT_READ|ERROR$)/.test(code)) return 'ledger_corrupt'
  return 'ledger_unavailable'
}

function sentence(kind: LedgerErrorCode, file: string, thrown: unknown): string {
  const why = messageOf(thrown)
  switch (kind) {
    case 'ledger_busy':
      return `the ledger \`${file}\` was locked by another process for ${ledgerBusyMs} ms; end what holds it, a shell or a backup`
    case 'ledger_full':
      return `there is no room to write the ledger \`${file}\`; free some disk space`
    case 'ledger_read_only':
      return `the ledger \`${file}\` cannot be written; make the file and its folder writable for the gate`
    case 'ledger_corrupt':
      return `\`${file}\` is no ledger or a damaged one (\`${why}\`); move it away and keep it, then restore a backup`
    case 'ledger_newer_schema':
      return `the ledger \`${file}\` was written by a newer version; use that version, or another file`
    case 'ledger_unavailable':
      return `the ledger \`${file}\` cannot be used (\`${why}\`); check its path, its permissions and its disk`
  }
  return kind satisfies never
}
