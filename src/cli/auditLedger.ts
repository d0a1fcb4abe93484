/** The ledger that an audit looks at: it must be there already, and nothing is written to it. */
import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Database } from 'better-sqlite3'
import { ledgerError } from '../ledger/errors.ts'
import { openDatabase } from '../ledger/file.ts'
import { Records } from '../ledger/records.ts'
import { TollgateError } from '../model/errors.ts'
import { defaultLedgerFile } from '../runtime/paths.ts'

/** The path of a ledger. Throws `ledger_unavailable`, which says where it looked, when there is none. `option` names one. */
export function existingLedger(named: string | undefined, option: '--ledger' | '--from' = '--ledger'): string {
  const file = resolve(named ?? defaultLedgerFile())
  if (isThere(file)) return file
  const chosen = named !== undefined ? option : process.env['TOLLGATE_LEDGER'] ? '$TOLLGATE_LEDGER' : 'the default'
  throw new TollgateError(
    'ledger_unavailable',
    `there is no ledger at \`${file}\` (${chosen}): no gate has written it yet; name another with \`${option} FILE\``,
  )
}

function isThere(file: string): boolean {
  try {
    return statSync(file, { throwIfNoEntry: false }) !== undefined
  } catch (thrown) {
    throw ledgerError(thrown, file)
  }
}

/** What a proof reads. */
export interface RecordSource {
  readonly records: Records
  /** The compiled policy of a revision, as it was kept. */
  policy(revision: string): Uint8Array | undefined
}

/**
 * Reads a ledger as it stands at one moment. Not `openLedger`: that refuses a ledger whose end is damaged, and to say
 * what is damaged is what this is for.
 */
export function readLedger<T>(file: string, read: (source: RecordSource) => T): T {
  let db: Database | undefined
  try {
    db = openDatabase({ file, durability: 'process', readOnly: true })
    const artifact = db.prepare<[string], Uint8Array>('SELECT artifact FROM policies WHERE revision = ?').pluck()
    const source = { records: new Records(db), policy: (revision: string) => artifact.get(revision) }
    return db.transaction(() => read(source))()
  } catch (thrown) {
    throw ledgerError(thrown, file)
  } finally {
    db?.close()
  }
}
