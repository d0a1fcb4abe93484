/** Under a root of its own a policy decides as it does without one, whatever it is made of. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import type { Artifact } from '../../src/bundle/artifact.ts'
import { buildMerged } from '../../src/bundle/build.ts'
import { bodyOf } from '../../src/log/body.ts'
import { readCallObject } from '../../src/model/callObject.ts'
import { canonical, type Json } from '../../src/model/canonical.ts'
import { Engine } from '../../src/pdp/engine.ts'
import { openGateWith } from '../../src/runtime/open.ts'
import { activePolicy, readBeside } from '../../src/runtime/policyFile.ts'
import type { Answer } from '../answer.ts'

const cases = (name: string) => fileURLToPath(new URL(`../cases/${name}.yaml`, import.meta.url))

/** As the case files are meant: what all calls share, and the attributes of a run one by one. */
function withBase(base: Answer, call: Answer): Answer {
  const { run, ...all } = { ...base, ...call, run: call.run === null ? null : { ...base.run, ...call.run } }
  return base.run && run !== null ? { ...all, run } : all
}

/** The input documents of all calls of a case file, as the gate asks them. */
function inputsOf(artifact: Artifact, calls: readonly Answer[]): readonly Json[] {
  const at = Date.UTC(2026, 0, 5, 12)
  const report = () => {}
  const { gate, ledger } = openGateWith({ ledgerFile: ':memory:', clock: () => at, report, listless: true })
  try {
    gate.activate(activePolicy(artifact))
    for (const call of calls) gate.admit([readCallObject({ arguments: {}, ...call }, Object.keys(call))])
    return [...ledger.records()].flatMap((record) => ((bodyOf(record) as Answer).input ?? []) as Json[])
  } finally {
    ledger.close()
  }
}

for (const name of ['aegis', 'pack', 'native-ordered', 'native-tests']) {
  test(`${name}: every decision is the same`, async () => {
    const file = cases(name)
    const { policy, policyFile, base = {}, cases: all } = parse(readFileSync(file, 'utf8'), { merge: true }) as Answer
    const calls = all.flatMap((one: Answer) => (one.call ? withBase(base, one.call) : []))
    const beside = readBeside(file)
    const source = { name: 'policy.yaml', text: policyFile ? beside(policyFile) : JSON.stringify(policy), beside }
    const [plain, rooted] = await Promise.all([buildMerged([source]), buildMerged([source], 'org')])
    const inputs = inputsOf(plain, calls)
    assert.ok(inputs.length >= 10, String(inputs.length))
    const decided = [plain, rooted].map(({ wasm, data, entrypoint }) => {
      const engine = new Engine(wasm, data, entrypoint)
      return inputs.map((input) => engine.evaluate(canonical(input)))
    })
    assert.deepEqual(decided[1], decided[0])
    assert.ok(new Set(decided[0]?.map(({ reason_code: code }) => code)).size > 1)
  })
}
