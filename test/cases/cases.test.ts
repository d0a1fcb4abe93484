/**
 * The meaning, case by case: policy (or policies that are merged, or layers of them), calls before, call, expected
 * decision. Each case runs through the whole gate (real ledger, compiled policy), and the reference evaluator must say the
 * same of the input that was recorded. What cases share is said once: in the `base` of a file, or by YAML's `&`, `*`, `<<`.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parse, stringify } from 'yaml'
import { buildMerged, type PolicyText } from '../../src/bundle/build.ts'
import { readCallLine } from '../../src/cli/callLine.ts'
import { explainRecord } from '../../src/cli/explainRecord.ts'
import { describeWith } from '../../src/log/describe.ts'
import type { Approver } from '../../src/model/approval.ts'
import type { Decision } from '../../src/model/decision.ts'
import type { KillKind, KillTarget } from '../../src/model/kill.ts'
import { isLayered } from '../../src/model/layers.ts'
import { Approvals } from '../../src/pep/approvals.ts'
import { Kills } from '../../src/pep/kills.ts'
import { Tools } from '../../src/pep/tools.ts'
import { evaluate } from '../../src/reference/evaluate.ts'
import { evaluateLayers } from '../../src/reference/layers.ts'
import { openGateWith } from '../../src/runtime/open.ts'
import { activePolicy } from '../../src/runtime/policyFile.ts'
import { type LoadedSet, layered } from '../../src/runtime/policySet.ts'
import { isConsistent } from '../reference/explained.ts'

interface CaseFile extends PolicyOfCases {
  /** Their names, in their order. */
  readonly layers?: Readonly<Record<string, PolicyOfCases>>
  /** What every call of the file has, if it does not say otherwise itself, attribute by attribute of its run. */
  readonly base?: Line
  readonly cases: readonly Case[]
}

interface PolicyOfCases {
  readonly policy?: unknown
  readonly policyFile?: string
  /** Policies by the names of their files; the first is the base. */
  readonly merged?: Readonly<Record<string, unknown>>
}

interface Line {
  readonly run?: object
}

/** A call, an answer of a person to what was asked last, a person's word of the kill switch, a list of tools, or one accepted. */
type Before = object & {
  readonly repeat?: number
  readonly approve?: string
  readonly reject?: string
  readonly kill?: Readonly<Record<KillKind, string>>
  readonly lift?: Readonly<Record<KillKind, string>>
  /** Definitions of tools that the server lists; `more` pages come after it. */
  readonly list?: readonly object[]
  readonly more?: boolean
  readonly server?: string
  readonly accept?: string
  readonly digest?: string
  readonly also?: boolean
}

interface Case {
  readonly name: string
  readonly before?: readonly Before[]
  readonly call: Line
  /** The tools that the last list shows. */
  readonly shown?: readonly string[]
  readonly expect: Readonly<Record<string, unknown>>
}

const folder = dirname(fileURLToPath(import.meta.url))
const noon = '2026-01-05T12:00:00Z'

for (const file of readdirSync(folder).filter((name) => name.endsWith('.yaml'))) {
  const { base = {}, cases, ...said } = parse(readFileSync(join(folder, file), 'utf8'), { merge: true }) as CaseFile
  const loaded = load(said, file)
  for (const one of cases) test(`${file}: ${one.name}`, async () => runCase(await loaded, base, one))
}

async function load({ layers, ...said }: Omit<CaseFile, 'base' | 'cases'>, file: string): Promise<LoadedSet> {
  if (!layers) {
    const artifact = await buildMerged(textsOf(said, file))
    return { revision: artifact.revision, policy: artifact.policy, active: () => activePolicy(artifact) }
  }
  const artifacts = Object.entries(layers).map(async ([name, own]) => {
    return { name, artifact: await buildMerged(textsOf(own, `${name}.yaml`)) }
  })
  return layered(await Promise.all(artifacts))
}

function textsOf({ policy, policyFile, merged }: PolicyOfCases, name: string): readonly PolicyText[] {
  if (merged) return Object.entries(merged).map(([file, one]) => ({ name: file, text: stringify(one) }))
  const beside = (other: string) => readFileSync(join(folder, other))
  if (!policyFile) return [{ name, text: stringify(policy), beside }]
  return [{ name: policyFile.split('/').at(-1) as string, text: readFileSync(join(folder, policyFile), 'utf8') }]
}

function runCase(loaded: LoadedSet, base: Line, { before = [], call, shown: wantedTools, expect }: Case): void {
  let at = Date.parse('2026-01-01T00:00:00Z')
  const report = (error: unknown) => assert.fail(error as Error)
  const { gate, ledger } = openGateWith({ ledgerFile: ':memory:', clock: () => at, report })
  const approvals = new Approvals({ ledger, describe: describeWith({ id: 'person', version: '' }, 'full') })
  let ids = 0
  const kills = new Kills({
    ledger,
    describe: describeWith({ id: 'person', version: '' }, 'full'),
    newId: () => `${++ids}`,
  })
  const tools = new Tools({ ledger, describe: describeWith({ id: 'person', version: '' }, 'full') })
  let asked = ''
  let shownTools: readonly unknown[] = []
  gate.activate(loaded.active())
  const judge = (line: Line): Decision => {
    const run = base.run && line.run !== null ? { run: { ...base.run, ...line.run } } : {}
    const read = readCallLine(Buffer.from(JSON.stringify({ time: noon, ...base, ...line, ...run })))
    assert.ok('call' in read, 'message' in read ? read.message : '')
    at = read.at as number
    const decision = gate.admit([read.call])[0] as Decision
    asked = decision.approval?.id ?? asked
    return decision
  }
  const list = (items: readonly object[], server: string, isLast: boolean) => {
    const shown = gate.listed({ server, tools: items, isLast, principal: {}, session: 's' })
    shownTools = items.filter((_, index) => shown?.[index] !== false).map((item) => 'name' in item && item.name)
  }
  for (const { repeat = 1, approve, reject, kill, lift, accept, ...line } of before) {
    const { server = 'bank', digest, also } = line
    if (approve !== undefined) approvals.approve(asked, { by: person(approve) })
    else if (reject !== undefined) approvals.reject(asked, { by: person(reject), reason: 'not now' })
    else if (kill) kills.kill(targetOf(kill), { by: person('ada'), reason: 'not now' })
    else if (lift) kills.lift(targetOf(lift), { by: person('ada') })
    else if (line.list) list(line.list, server, !line.more)
    else if (accept !== undefined)
      tools.accept(
        { server, tools: [accept], ...(digest !== undefined && { digest }), ...(also && { also }) },
        { by: person('ada') },
      )
    else for (let i = 0; i < repeat; i++) judge(line as Line)
  }
  if (wantedTools) assert.deepEqual(shownTools, wantedTools)
  const decision = judge(call)
  for (const [key, wanted] of Object.entries(expect))
    assert.deepEqual(shown(decision, key), wanted, `${key} of ${JSON.stringify(decision)}`)
  // What becomes of a request to a person is recorded behind the decision.
  const recorded = [...ledger.records()].findLast(({ kind }) => kind === 'decision')
  agreesWithReference(loaded, decision, recorded?.body ?? '')
  ledger.close()
}

function person(name: string): Approver {
  return { name, known_by: 'os_user', os_user: name }
}

function targetOf(said: Readonly<Record<KillKind, string>>): KillTarget {
  const [[kind, name] = assert.fail('nothing is named')] = Object.entries(said)
  return { kind: kind as KillKind, name }
}

function shown(decision: Decision, key: string): unknown {
  return key === 'expires_at' ? decision.approval?.expires_at : (decision[key as keyof Decision] ?? null)
}

function agreesWithReference({ policy }: LoadedSet, decision: Decision, body: string): void {
  if (decision.rule === 'gate') return
  const recorded = JSON.parse(body)
  const { input } = recorded
  const verdict: Partial<Decision> = isLayered(policy) ? evaluateLayers(policy, input) : evaluate(policy, input)
  for (const key of ['decision', 'reason_code', 'rule', 'message', 'risk_level', 'layers', 'conflicts'] as const)
    assert.deepEqual(verdict[key], decision[key], `reference: ${key}`)
  const kept = isLayered(policy)
    ? policy.layers.map((layer) => ({ layer: layer.name, revision: '', policy: layer.policy }))
    : [{ revision: '', policy }]
  const explained = explainRecord(recorded, kept)
  assert.equal(explained.difference, undefined)
  for (const explanation of explained.policies) isConsistent(explanation, explanation.strategy)
}
