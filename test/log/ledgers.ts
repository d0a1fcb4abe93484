/** Ledgers for tests, written by the real gate under a small policy. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import type { Artifact } from '../../src/bundle/artifact.ts'
import { buildPolicy } from '../../src/bundle/build.ts'
import { recordHash } from '../../src/ledger/chain.ts'
import type { SqliteLedger } from '../../src/ledger/ledger.ts'
import type { Call } from '../../src/model/call.ts'
import type { Decision } from '../../src/model/decision.ts'
import type { Refusal } from '../../src/pep/gatekeeper.ts'
import { openGateWith } from '../../src/runtime/open.ts'
import { activePolicy } from '../../src/runtime/policyFile.ts'

/** Everything that is done at a test gate happens a second after what was done before, from here on. */
export const startedAt = Date.parse('2026-01-16T19:11:22.000Z')

export const policyText = `
version: "1"
policy_id: mcp-guard-v1
policy_version: "2026-01-16"
default: deny
tools:
  crm.read: { risk_level: low, rules: [] }
  pay: { risk_level: medium, rules: [{ name: cap, spend: { per_call: 500 } }] }
  close_account: { rules: [{ name: ask, action: require_approval, risk_level: critical }] }
resources:
  "crm://*": { rules: [] }
prompts:
  greeting: { rules: [] }
`

export const artifact = await buildPolicy({ name: 'guard.yaml', text: policyText })

/** The same policy with another cap, and so another revision. */
export const otherArtifact = await buildPolicy({
  name: 'guard.yaml',
  text: policyText.replace('per_call: 500', 'per_call: 50'),
})

export const crmRead: Call = {
  method: 'tools/call',
  server: 'crm',
  name: 'crm.read',
  arguments: { customer: 'c-1' },
  principal: { agent: 'bot', user: 'user-12345', project: 'support-bot' },
  session: 's-1',
}

export const pay = (amount: number): Call => ({ ...crmRead, server: 'bank', name: 'pay', arguments: { amount } })

export interface TestGate {
  readonly ledger: SqliteLedger
  activate(artifact: Artifact): void
  admit(call: Call): Decision
  check(call: Call): Decision
  refuse(refusal: Refusal): Decision
  /** Allowed, and ended so. */
  done(call: Call, status?: 'success' | 'error' | 'unknown', detail?: string): Decision
}

export function openTestGate(file: string, argumentsKept: 'full' | 'digest' | 'none' = 'full'): TestGate {
  let at = startedAt
  const report = (error: unknown) => {
    throw error
  }
  const { gate, ledger } = openGateWith({ ledgerFile: file, clock: () => at, argumentsKept, report })
  const later = <T>(act: () => T): T => {
    at += 1_000
    return act()
  }
  const admit = (call: Call) => later(() => gate.admit([call])[0] as Decision)
  return {
    ledger: ledger as SqliteLedger,
    activate: (next) => later(() => gate.activate(activePolicy(next))),
    admit,
    check: (call) => later(() => gate.check(call)),
    refuse: (refusal) => later(() => gate.refuse([refusal])[0] as Decision),
    done(call, status = 'success', detail) {
      const decision = admit(call)
      const outcome = { decisionId: decision.decision_id, status, ...(detail !== undefined && { detail }) }
      later(() => gate.settle([outcome]))
      return decision
    },
  }
}

const folders = mkdtempSync(join(tmpdir(), 'tollgate-audit-'))
process.on('exit', () => rmSync(folders, { recursive: true, force: true }))

/** Goes with the process. */
export function temporaryFolder(): string {
  return mkdtempSync(join(folders, 'ledger-'))
}

/** A ledger with a bit of everything; gives its file. */
export function everydayLedger(file = join(temporaryFolder(), 'ledger.db')): string {
  const { ledger, activate, admit, check, refuse, done } = openTestGate(file)
  activate(artifact)
  done(crmRead)
  done(pay(10), 'error', 'the card was declined')
  admit(pay(1_000))
  admit({ ...crmRead, server: 'bank', name: 'close_account', session: 's-2' })
  done({ ...crmRead, method: 'resources/read', name: 'crm://1' })
  check(crmRead)
  refuse(malformed)
  done(pay(20), 'unknown', 'no answer in 30 s')
  ledger.close()
  return file
}

export const malformed: Refusal = {
  reason: 'MALFORMED_CALL',
  message: 'a key stands there twice',
  method: 'tools/call',
  name: 'pay',
  server: 'bank',
  principal: { user: 'user-12345' },
  session: 's-1',
}

/** Does to a ledger what its triggers refuse. */
export function tamper(file: string, change: (db: Database.Database) => void): void {
  const db = new Database(file)
  db.exec(`
    DROP TRIGGER IF EXISTS records_never_change; DROP TRIGGER IF EXISTS records_never_go;
    DROP TRIGGER IF EXISTS policies_never_change; DROP TRIGGER IF EXISTS policies_never_go;`)
  change(db)
  db.close()
}

interface Row {
  seq: number
  at: number
  kind: 'decision'
  decision_id: string | null
  previous_hash: string
  hash: string
  body: string
}

/** What somebody does who can write the whole file: the chain is made anew, from the changed rows. */
export function rewriteChain(db: Database.Database): void {
  const rows = db.prepare<[], Row>('SELECT * FROM records ORDER BY seq').all()
  let previous = '0'.repeat(64)
  for (const { seq, at, kind, decision_id, body } of rows) {
    const entry = {
      seq,
      at,
      kind,
      body,
      previousHash: previous,
      ...(decision_id !== null && { decisionId: decision_id }),
    }
    const hash = recordHash(entry)
    db.prepare('UPDATE records SET previous_hash = ?, hash = ? WHERE seq = ?').run(previous, hash, seq)
    previous = hash
  }
  db.prepare('UPDATE chain_end SET seq = ?, hash = ?').run(rows.at(-1)?.seq ?? 0, previous)
}
