/** Layers of random policies: compiled and reference agree, and each layer judges what it would judge alone. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { withHandWritten } from '../../src/bundle/build.ts'
import { generate } from '../../src/codegen/generate.ts'
import { openCompiler } from '../../src/compile/compiler.ts'
import type { Call, Facts, LayeredApproved, LayeredInput } from '../../src/model/call.ts'
import { canonical, type Json } from '../../src/model/canonical.ts'
import { amountsOf, inputOf, oddSpelling } from '../../src/model/input.ts'
import { judgeEach, layerInput, planForSet, visibilityInSet } from '../../src/model/layers.ts'
import type { Layer, Layers, Policy } from '../../src/model/policy.ts'
import { planFor, visibility } from '../../src/model/strategy.ts'
import { Engine } from '../../src/pdp/engine.ts'
import { evaluateLayers } from '../../src/reference/layers.ts'
import { packCalls, packs } from '../pack/arbitrary.ts'
import { fc, seed, tries } from '../random.ts'
import { calls, factsFrom, policies, usages } from './arbitrary.ts'
import { instants, orderedCalls, orderedPolicies } from './arbitraryOrdered.ts'

const decisions = Number(process.env['TOLLGATE_DIFFERENTIAL_DECISIONS'] ?? 100_000) / 20
const callsPerPolicy = 200
/** Policies take long to compile, and stacks of them nothing: there are more of these, so that none decides what is reached. */
const callsPerStack = 20
const names = ['org', 'team', 'agent', 'a', 'z']

const compiler = await openCompiler()
after(() => compiler.close())

async function engineFor(policy: Policy): Promise<Engine> {
  const { modules, data, entrypoints } = generate(policy)
  const all = withHandWritten(modules)
  const { wasm } = await compiler.build({ modules: all, data: data as Record<string, unknown>, entrypoints })
  return new Engine(wasm, data, entrypoints[0] as string)
}

interface Asked {
  readonly call: Call
  readonly at: number
  /** What the ledger says, of one layer after the other. */
  readonly used: readonly (readonly (number | undefined)[])[]
}

function factsOf({ policy }: Layer, index: number, { call, used }: Asked): Facts {
  const ids = planFor(policy, call).counters.map(({ counter }) => counter.id)
  return factsFrom(ids, used[index % used.length] ?? [])
}

/** The document as the gate makes it, through its text. */
function recorded(set: Layers, asked: Asked, approved?: LayeredApproved): LayeredInput {
  const plan = planForSet(set, asked.call)
  const facts = Object.fromEntries(set.layers.map((layer, index) => [layer.name, factsOf(layer, index, asked)]))
  const document = inputOf(asked.call, plan, facts, amountsOf(asked.call, plan), asked.at, approved)
  return JSON.parse(canonical(document as unknown as Json))
}

function judgesAsAlone(set: Layers, asked: Asked, document: LayeredInput): void {
  const { call } = asked
  for (const [index, layer] of set.layers.entries()) {
    const plan = planFor(layer.policy, call)
    const alone = inputOf(call, plan, factsOf(layer, index, asked), amountsOf(call, plan), asked.at)
    const derived = layerInput(document, layer.name, plan)
    assert.equal(canonical(derived as unknown as Json), canonical(alone as unknown as Json))
  }
  const odd = set.layers.some(({ policy }) => oddSpelling(call.arguments, planFor(policy, call).names) !== undefined)
  assert.equal(oddSpelling(call.arguments, planForSet(set, call).names) !== undefined, odd)
  assert.equal(
    visibilityInSet(set, call)(call.principal),
    set.layers.every(({ policy }) => visibility(policy, call)(call.principal)),
  )
}

test(`layers of compiled policies decide ${decisions} random calls as the reference does (seed ${seed})`, async (t) => {
  const count = Math.ceil(decisions / callsPerPolicy)
  const stack = fc.array(fc.nat(count - 1), { minLength: 1, maxLength: 3 })
  const sampled = fc.sample(
    fc.oneof(
      { weight: 2, arbitrary: policies },
      { weight: 3, arbitrary: orderedPolicies },
      { weight: 1, arbitrary: packs },
    ),
    { numRuns: count, seed },
  )
  const engines = await Promise.all(sampled.map(engineFor))
  const stacks = fc.sample(stack, { numRuns: Math.ceil(decisions / callsPerStack), seed })
  const asked = fc.sample(
    fc.record({
      call: fc.oneof(
        { weight: 2, arbitrary: calls },
        { weight: 2, arbitrary: orderedCalls },
        { weight: 1, arbitrary: packCalls },
      ),
      at: instants,
      used: fc.tuple(usages, usages, usages),
    }),
    { numRuns: tries(2_000), seed },
  )
  const tally = new Map<string, number>()
  for (const [round, chosen] of stacks.entries()) {
    const layers = chosen.map((at, index) => ({
      name: names[(round + index) % names.length] as string,
      // Under the id that it was compiled with: what holds a call is named by it.
      policy: sampled[at] as Policy,
      engine: engines[at] as Engine,
    }))
    for (let index = 0; index < callsPerStack; index++) {
      const one = asked[(round * 37 + index) % asked.length] as Asked
      const document = recorded({ layers }, one)
      judgesAsAlone({ layers }, one, document)
      const compiled = judgeEach(layers, document, ({ engine }, own) => engine.evaluate(canonical(own as never)))
      assert.deepEqual(compiled, evaluateLayers({ layers }, document), JSON.stringify({ seed, round, index }))
      const kinds = [...new Set(compiled.layers.map(({ decision }) => decision))].sort()
      tally.set(kinds.join(' '), (tally.get(kinds.join(' ')) ?? 0) + 1)
      const strictest = (['kill', 'deny', 'hold', 'allow'] as const).find((kind) => kinds.includes(kind))
      assert.equal(compiled.decision, strictest)
      // What holds it is approved, layer by layer: another layer is not cleared by it, and nothing is denied for it.
      const approved: Record<string, string[]> = {}
      for (let before = compiled; before.decision === 'hold'; ) {
        // A pack wants its approval elsewhere.
        if (before.holds.length === 0) break
        for (const { layer, hold } of before.holds) {
          assert.ok(!approved[layer]?.includes(hold), 'what was approved holds still')
          approved[layer] = [...(approved[layer] ?? []), hold]
        }
        const next = recorded({ layers }, one, approved)
        const after = judgeEach(layers, next, ({ engine }, own) => engine.evaluate(canonical(own as never)))
        assert.deepEqual(after, evaluateLayers({ layers }, next), JSON.stringify({ seed, round, index }))
        assert.notEqual(after.decision, 'deny')
        before = after
      }
    }
  }
  t.diagnostic(JSON.stringify(Object.fromEntries([...tally].sort())))
  if (decisions < 5_000) return
  for (const wanted of ['allow', 'hold', 'deny', 'allow hold', 'allow deny'])
    assert.ok((tally.get(wanted) ?? 0) > 0, `no random call was answered ${wanted}`)
})
