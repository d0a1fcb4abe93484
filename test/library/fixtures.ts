/** A gate over a ledger in a folder of its own, and what it wrote down. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type Gate, type GateOptions, openGate, type Report } from '../../src/index.ts'
import { openLedger } from '../../src/ledger/ledger.ts'
import type { Answer } from '../answer.ts'

export interface Opened {
  readonly gate: Gate
  readonly folder: string
  readonly ledger: string
  readonly reports: readonly Report[]
  /** All records so far, or those of a type. */
  records(...types: readonly string[]): readonly Answer[]
}

export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-library-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export async function opened(t: TestContext, policy: string, options: Partial<GateOptions> = {}): Promise<Opened> {
  const folder = temporaryFolder(t)
  const ledger = join(folder, 'ledger.db')
  const reports: Report[] = []
  const onReport = (report: Report) => void reports.push(report)
  const gate = await openGate({
    policy: { name: 'policy.yaml', text: policy },
    ledger,
    server: 'shop',
    onReport,
    ...options,
  })
  t.after(() => gate.close())
  const records = (...types: readonly string[]) =>
    recordsOf(ledger).filter(({ type }) => types.length === 0 || types.includes(type))
  return { gate, folder, ledger, reports, records }
}

export function recordsOf(file: string): readonly Answer[] {
  const ledger = openLedger({ file, readOnly: true })
  try {
    return [...ledger.records()].map(({ body }) => JSON.parse(body))
  } finally {
    ledger.close()
  }
}
