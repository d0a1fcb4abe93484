/**
 * The meaning, case by case: policy, calls before, call, expected decision. Each case runs through the whole gate (real
 * ledger, compiled policy), and the reference evaluator must say the same of the input that was recorded.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parse, stringify } from 'yaml'
import type { Artifact } from '../../src/bundle/artifact.ts'
import { buildPolicy } from '../../src/bundle/build.ts'
import { readCallLine } from '../../src/cli/callLine.ts'
import type { Decision } from '../../src/model/decision.ts'
import { evaluate } from '../../src/reference/evaluate.ts'
import { openGateWith } from '../../src/runtime/open.ts'
import { activePolicy } from '../../src/runtime/policyFile.ts'

interface CaseFile {
  readonly policy?: unknown
  readonly policyFile?: string
  /** What every call of the file has, if it does not say otherwise itself, attribute by attribute of its run. */
  readonly base?: Line
  readonly cases: readonly Case[]
}

interface Line {
  readonly run?: object
}

interface Case {
  readonly name: string
  readonly before?: readonly (object & { readonly repeat?: number })[]
  readonly call: Line
  readonly expect: Readonly<Record<string, unknown>>
}

const folder = dirname(fileURLToPath(import.meta.url))
const noon = '2026-01-05T12:00:00Z'

for (const file of readdirSync(folder).filter((name) => name.endsWith('.yaml'))) {
  const { policy, policyFile, base = {}, cases } = parse(readFileSync(join(folder, file), 'utf8')) as CaseFile
  const text = policyFile ? readFileSync(join(folder, policyFile), 'utf8') : stringify(policy)
  const artifact = buildPolicy({ name: policyFile ? (policyFile.split('/').at(-1) as string) : file, text })
  for (const one of cases) test(`${file}: ${one.name}`, async () => runCase(await artifact, base, one))
}

function runCase(artifact: Artifact, base: Line, { before = [], call, expect }: Case): void {
  let at = Date.parse('2026-01-01T00:00:00Z')
  const report = (error: unknown) => assert.fail(error as Error)
  const { gate, ledger } = openGateWith({ ledgerFile: ':memory:', clock: () => at, report })
  gate.activate(activePolicy(artifact))
  const judge = (line: Line): Decision => {
    const run = base.run && line.run !== null ? { run: { ...base.run, ...line.run } } : {}
    const read = readCallLine(Buffer.from(JSON.stringify({ time: noon, ...base, ...line, ...run })))
    assert.ok('call' in read, 'message' in read ? read.message : '')
    at = read.at as number
    return gate.admit([read.call])[0] as Decision
  }
  for (const { repeat = 1, ...line } of before) for (let i = 0; i < repeat; i++) judge(line)
  const decision = judge(call)
  for (const [key, wanted] of Object.entries(expect))
    assert.equal(shown(decision, key), wanted, `${key} of ${JSON.stringify(decision)}`)
  agreesWithReference(artifact, decision, [...ledger.records()].at(-1)?.body ?? '')
  ledger.close()
}

function shown(decision: Decision, key: string): unknown {
  return key === 'expires_at' ? decision.approval?.expires_at : (decision[key as keyof Decision] ?? null)
}

function agreesWithReference(artifact: Artifact, decision: Decision, body: string): void {
  if (decision.rule === 'gate') return
  const verdict = evaluate(artifact.policy, JSON.parse(body).input)
  for (const key of ['decision', 'reason_code', 'rule', 'message', 'risk_level'] as const)
    assert.equal(verdict[key], decision[key], `reference: ${key}`)
}
