/** The compiled pack and the reference evaluator must agree on every random pack, run and path. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { withHandWritten } from '../../src/bundle/build.ts'
import { generate } from '../../src/codegen/generate.ts'
import { openCompiler } from '../../src/compile/compiler.ts'
import type { Call } from '../../src/model/call.ts'
import { canonical, type Json } from '../../src/model/canonical.ts'
import { inputOf } from '../../src/model/input.ts'
import type { PackPolicy } from '../../src/model/pack/policy.ts'
import { stops } from '../../src/model/pack/stops.ts'
import { planFor } from '../../src/model/strategy.ts'
import { Engine } from '../../src/pdp/engine.ts'
import { evaluate } from '../../src/reference/evaluate.ts'
import { fc, seed, tries } from '../random.ts'
import { emptyPack, packCalls, packs, paths, patterns } from './arbitrary.ts'

const decisions = Number(process.env['TOLLGATE_DIFFERENTIAL_DECISIONS'] ?? tries(100_000))
const callsPerPack = 500
const noon = Date.parse('2026-01-05T12:00:00Z')

const compiler = await openCompiler()
after(() => compiler.close())

/** Packs differ in their tables alone, so one module decides for all of them. */
const { modules, entrypoints } = generate(emptyPack)
const { wasm } = await compiler.build({ modules: withHandWritten(modules), data: {}, entrypoints })

function engineFor(policy: PackPolicy): Engine {
  const generated = generate(policy)
  assert.deepEqual([generated.modules, generated.entrypoints], [modules, entrypoints])
  return new Engine(wasm, generated.data, entrypoints[0] as string)
}

function inputText(policy: PackPolicy, call: Call): string {
  return canonical(inputOf(call, planFor(policy, call), {}, {}, noon) as unknown as Json)
}

test(`the compiled pack decides ${decisions} random calls as the reference does (seed ${seed})`, async (t) => {
  const policies = fc.sample(packs, { numRuns: Math.ceil(decisions / callsPerPack), seed })
  const calls = fc.sample(packCalls, { numRuns: callsPerPack * 10, seed })
  const tally = new Map<string, number>()
  for (const [round, policy] of policies.entries()) {
    const engine = engineFor(policy)
    for (let index = 0; index < callsPerPack; index++) {
      const call = calls[(round * 137 + index) % calls.length] as Call
      const text = inputText(policy, call)
      const reference = evaluate(policy, JSON.parse(text))
      const compiled = engine.evaluate(text)
      assert.deepEqual(compiled, reference, `seed ${seed}: ${JSON.stringify(policy.workflows)} ${text}`)
      tally.set(reference.reason_code, (tally.get(reference.reason_code) ?? 0) + 1)
    }
  }
  t.diagnostic(`seed ${seed}; ${JSON.stringify(Object.fromEntries([...tally].sort()))}`)
  if (decisions < 25_000) return
  // A generator that never reaches a kind of answer would agree about nothing.
  for (const code of ['ALLOW', ...Object.keys(stops)]) assert.ok(tally.has(code), `no random call was answered ${code}`)
})

test(`paths match patterns alike, narrowly where allowed and widely where forbidden (seed ${seed})`, () => {
  const chosen = [...new Set(fc.sample(patterns, { numRuns: 250, seed }))]
  const [some] = fc.sample(packs, { numRuns: 1, seed })
  const workflow = { ...(some as PackPolicy).workflows[0], ...openWorkflow } as PackPolicy['workflows'][number]
  const workflows = chosen.flatMap((pattern, index) => [
    { ...workflow, id: `allowed-${index}`, allowedPaths: [pattern], forbiddenPaths: [] },
    { ...workflow, id: `forbidden-${index}`, allowedPaths: ['**'], forbiddenPaths: [pattern] },
  ])
  const policy: PackPolicy = { ...emptyPack, workflows }
  const engine = engineFor(policy)
  const tally = new Map<string, number>()
  for (const path of new Set([...fc.sample(paths, { numRuns: 70, seed }), '../a', 'a//b'])) {
    for (const { id, allowedPaths, forbiddenPaths } of workflows) {
      const text = inputText(policy, writing(id, path))
      const reference = evaluate(policy, JSON.parse(text))
      assert.deepEqual(engine.evaluate(text), reference, `seed ${seed}: ${allowedPaths} ${forbiddenPaths} ${path}`)
      tally.set(reference.reason_code, (tally.get(reference.reason_code) ?? 0) + 1)
    }
  }
  for (const code of ['ALLOW', 'PATH_UNSAFE', 'PATH_FORBIDDEN', 'PATH_NOT_ALLOWED'])
    assert.ok((tally.get(code) ?? 0) > 50, `${code}: ${tally.get(code)}`)
})

const openWorkflow = {
  status: 'active',
  stage: 'run',
  agents: ['codex'],
  scopes: [{ namespace: 'repo', access: 'write_branch', variant: 'allow_scoped_branch', needsApproval: false }],
  branchPrefix: 'fix/',
  maxChangedFiles: 3,
  maxDiffLines: 10,
  phases: [{ phase: 'tool_call', evidence: [] }],
} as const

function writing(workflow: string, path: string): Call {
  const run = {
    workflow_id: workflow,
    agent_id: 'codex',
    run_id: 'r1',
    tool_namespace: 'repo',
    tool_access_mode: 'write_branch',
    gate_phase: 'tool_call',
    branch_name: 'fix/1',
    changed_paths: [path],
    diff_line_count: 1,
  }
  return { method: 'tools/call', server: 's', name: 't', arguments: {}, principal: {}, session: 's', run }
}
