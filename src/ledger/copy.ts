/** What a ledger has counted, and what persons were asked and have stopped, taken over into another: to judge calls as it would, and leave it. */
import type { Database } from 'better-sqlite3'

export const copiedTables = ['counters', 'sliding', 'events', 'approvals', 'kills', 'tool_pins'] as const

/** As it stands at one moment. Records stay behind; the time goes on from the last instant that was seen. */
export function copyState(from: Database, to: Database): void {
  const read = from.transaction(() => {
    for (const table of copiedTables) {
      const width = from.prepare(`SELECT * FROM ${table}`).columns().length
      const insert = to.prepare(`INSERT INTO ${table} VALUES (${Array(width).fill('?').join(', ')})`)
      for (const row of from.prepare(`SELECT * FROM ${table}`).safeIntegers().raw().iterate())
        insert.run(...(row as unknown[]))
    }
    to.prepare('UPDATE chain_end SET at = ?').run(from.prepare('SELECT at FROM chain_end').pluck().get())
  })
  to.transaction(() => read())()
}
