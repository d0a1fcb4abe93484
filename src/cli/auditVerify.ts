/** `tollgate audit verify`: is the record what was recorded, and would every decision be made again? */
import type { Command } from 'commander'
import { plain } from '../model/message/plain.ts'
import { existingLedger, readLedger } from './auditLedger.ts'
import { proveRecords } from './auditProof.ts'
import type { CallPlace, ProofReport } from './auditReport.ts'
import { instantOf } from './auditTime.ts'
import { exitCodes, UsageError } from './exit.ts'
import { progressOn } from './progress.ts'
import { paint } from './terminal.ts'

export interface AuditVerifyOptions {
  readonly ledger?: string
  readonly json?: boolean
  readonly since?: string
  readonly head?: string
}

/** `audit --session S verify` would look as if it verified less than it does. */
export function refuseBefore(parent: Command): void {
  const given = parent.options.filter((option) => parent.getOptionValueSource(option.attributeName()) === 'cli')
  if (given[0]) throw new UsageError(`\`${given[0].long}\` stands before \`verify\`: put options after it`)
}

export function auditVerify({ ledger, json = false, since, head }: AuditVerifyOptions): void {
  if (head !== undefined && !/^[0-9a-f]{64}$/.test(head))
    throw new UsageError(`\`--head\` takes a hash of 64 digits from 0 to f, got \`${head}\``)
  const from = since === undefined ? undefined : instantOf('--since', since, Date.now())
  const file = existingLedger(ledger)
  const bar = progressOn(process.stderr, 'records')
  const options = {
    ...(from !== undefined && { since: from }),
    ...(head !== undefined && { head }),
    progress: bar.show,
  }
  const report = readLedger(file, (source) => proveRecords(source, options))
  bar.clear()
  process.stdout.write(json ? `${JSON.stringify({ ledger: file, ...report }, null, 2)}\n` : reportText(file, report))
  process.exitCode = report.ok ? exitCodes.fine : exitCodes.wrong
}

/** Findings and calls that are printed; `--json` has more. */
const printedMax = 10

function reportText(file: string, report: ProofReport): string {
  const { ok, head, findings, failures, open_calls, unknown_calls } = report
  const verdict = ok ? paint('green', 'proved', process.stdout) : paint('red', 'not proved', process.stdout)
  const lines = [
    ['ledger', plain(file)],
    ['records', `${rangeText(report)}: ${verdict}${ok ? '' : `, ${counted(failures, 'failure')}`}`],
    ...findings.slice(0, printedMax).map(({ message }, index) => [index === 0 ? 'failures' : '', plain(message)]),
    ...(failures > printedMax ? [['', `and ${failures - printedMax} more`]] : []),
    ['decisions', decisionsText(report)],
    ['calls', callsText(report)],
    ...callLines('open', open_calls),
    ...callLines('unknown', unknown_calls),
    ['head', `${head.hash} (record ${head.seq}, ${head.timestamp ?? 'at no time'})`],
  ]
  return lines.map(([name = '', text]) => `${name.padEnd(10)} ${text}\n`).join('')
}

function rangeText({ records, first_seq, head }: ProofReport): string {
  return records === 0 ? 'none' : `${counted(records, 'record')}, ${first_seq} to ${head.seq}`
}

function decisionsText({ evaluated, revisions, by_gate }: ProofReport): string {
  const again = `${evaluated} evaluated again with ${counted(Object.keys(revisions).length, 'policy revision')}`
  const reasons = Object.entries(by_gate)
  const refused = reasons.reduce((sum, [, number]) => sum + number, 0)
  if (refused === 0) return again
  return `${again}, ${refused} by the gate itself (${reasons.map(([reason, number]) => `${plain(reason)} ${number}`).join(', ')})`
}

function callsText({ calls }: ProofReport): string {
  const { allowed, success, error, unknown, open } = calls
  return `${allowed} allowed; ${success} succeeded, ${error} failed, ${unknown} ended unknown, ${open} open`
}

function callLines(what: string, calls: readonly CallPlace[]): string[][] {
  return calls
    .slice(0, printedMax)
    .map(({ seq, decision_id }) => ['', `${what}: ${plain(decision_id)} (record ${seq})`])
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}
