/** What the tests of the ledger share: scratch folders, counters, a clock that is set by hand. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { CounterKey } from '../../src/model/counters.ts'
import type { Ledger } from '../../src/model/ledger.ts'
import type { Window } from '../../src/model/policy.ts'

export const day: Window = { kind: 'fixed', unit: 'day' }
export const total: Window = { kind: 'total' }
export const sliding = (ms: number): Window => ({ kind: 'sliding', ms })

export function counter(key: string, window: Window): CounterKey {
  return { key, counter: { id: key, measure: 'calls', window, per: [] } }
}

/** A ledger that does what the real one does, but for what is given. */
export function around(real: Ledger, own: Partial<Ledger>): Ledger {
  return new Proxy(real, {
    get(_, name: keyof Ledger) {
      const part = own[name] ?? real[name]
      return typeof part === 'function' ? part.bind(real) : part
    },
  })
}

/** A folder that goes when the test ends. */
export function scratch(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-ledger-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Where a ledger may be, in such a folder. */
export function scratchFile(t: TestContext): string {
  return join(scratch(t), 'ledger.db')
}

export const noon = Date.UTC(2026, 2, 14, 12)
export const dayMs = 86_400_000

/** A clock that shows what it is told. */
export class HandClock {
  now = noon
  readonly read = (): number => this.now
}
