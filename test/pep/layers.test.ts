/** Layers at the gate, with a real ledger: one document, one transaction, one record, and the counters of each. */
import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { test } from 'node:test'
import { type Artifact, decodeArtifact } from '../../src/bundle/artifact.ts'
import { buildPolicy } from '../../src/bundle/build.ts'
import { combined } from '../../src/model/layers.ts'
import type { ActiveLayers } from '../../src/pep/gate.ts'
import { layered } from '../../src/runtime/policySet.ts'
import { bodies, call, type Opened, only, opened } from './opened.ts'

const policy = (id: string, tools: string, fallback = 'deny') =>
  buildPolicy({ name: `${id}.yaml`, text: `version: "1"\ndefault: ${fallback}\ntools:\n${tools}` })

const org = await policy('org', '  pay: { rules: [{ rate_limit: 5/day }] }\n', 'allow')
const team = await policy('team', '  pay: { rules: [{ rate_limit: 2/day }] }\n  free: {}\n')

function open(
  layers: Readonly<Record<string, Artifact>>,
  change: (active: ActiveLayers) => ActiveLayers = (a) => a,
): Opened {
  const all = opened()
  const set = layered(Object.entries(layers).map(([name, artifact]) => ({ name, artifact })))
  all.gate.activate(change(set.active() as ActiveLayers))
  return all
}

test('one call makes one document and one record, with the facts of each layer apart', () => {
  const { gate, ledger } = open({ team, org })
  gate.admit([call('pay'), call('pay', { unread: 1 })])
  const { input, bundles, layers, policy_id, result, ...body } = bodies(ledger).at(-1)
  const counter = 'calls/day@pay'
  assert.deepEqual(input.facts, { org: { [counter]: 1 }, team: { [counter]: 1 } })
  assert.deepEqual(input.arguments, {})
  assert.deepEqual(layers, ['team', 'org'])
  assert.deepEqual(bundles, { team: { revision: team.revision }, org: { revision: org.revision } })
  assert.equal(policy_id, 'team')
  const pairs = [
    ['team', team.revision],
    ['org', org.revision],
  ]
  assert.equal(result.revision, hash('sha256', JSON.stringify(pairs)))
  assert.equal(gate.revision, result.revision)
  const text = [...ledger.records()].at(-1)?.body ?? ''
  assert.ok(text.endsWith(`,"input":${JSON.stringify(input)}}`), 'the input is the last member')
  assert.equal(body.input_sha256, hash('sha256', JSON.stringify(input)))
})

test('an allowed call is charged in every layer, a refused one in none, and a failed one gives all back', () => {
  const { gate, ledger } = open({ org, team })
  const counts = () => bodies(ledger).at(-1).input.facts
  const decisions = gate.admit(Array.from({ length: 4 }, () => call('pay')))
  assert.deepEqual(
    decisions.map(({ decision }) => decision),
    ['allow', 'allow', 'deny', 'deny'],
  )
  assert.deepEqual(counts(), { org: { 'calls/day@pay': 2 }, team: { 'calls/day@pay': 2 } })
  gate.settle([{ decisionId: decisions[0]?.decision_id ?? '', status: 'error' }])
  assert.equal(only(gate.admit([call('pay')])).decision, 'allow')
  assert.deepEqual(counts(), { org: { 'calls/day@pay': 1 }, team: { 'calls/day@pay': 1 } })
})

test('a layer that gives no decision refuses the call, and nothing is charged', () => {
  const broken = (active: ActiveLayers): ActiveLayers => {
    const evaluate = () => {
      throw new Error('a trap')
    }
    const layers = active.layers.map((layer) => (layer.name === 'team' ? { ...layer, evaluate } : layer))
    return {
      ...active,
      evaluate: (input) => combined(layers.map(({ name, evaluate }) => ({ name, verdict: evaluate(input) }))),
    }
  }
  const { gate, ledger, reported } = open({ org, team }, broken)
  const refused = only(gate.admit([call('pay')]))
  assert.deepEqual([refused.decision, refused.reason_code, refused.layers], ['deny', 'ENGINE_FAILED', undefined])
  assert.equal(reported.length, 1)
  const { bundles, layers, policy_id } = bodies(ledger).at(-1)
  assert.deepEqual(
    { bundles: Object.keys(bundles), layers, policy_id },
    { bundles: ['org', 'team'], layers: ['org', 'team'], policy_id: undefined },
  )
})

test('without a layer nothing is allowed', () => {
  assert.equal(combined([]).decision, 'deny')
  assert.throws(() => layered([]), { code: 'layers_invalid' })
})

test('a list shows what every layer shows', () => {
  const { gate } = open({ org, team })
  const shown = ['pay', 'free', 'other'].filter((name) => gate.visible({ method: 'tools/call', server: 's', name }, {}))
  assert.deepEqual(shown, ['pay', 'free'])
})

test('what every layer is made of is kept, and recorded when it becomes active', () => {
  const { ledger } = open({ org, team })
  const [activation] = bodies(ledger)
  assert.deepEqual(
    activation.layers.map(({ name, policy_id, sources }: Record<string, unknown>) => [name, policy_id, sources]),
    [
      ['org', 'org', ['org.yaml']],
      ['team', 'team', ['team.yaml']],
    ],
  )
  assert.equal(activation.layers[0].wasm_sha256, org.wasmDigest)
  for (const { revision, wasmDigest } of [org, team])
    assert.equal(decodeArtifact(ledger.policy(revision) as Uint8Array).wasmDigest, wasmDigest)
})

test('layers that would count in one counter are refused, and so are names that are none', () => {
  const twice = [
    { name: 'org', artifact: org },
    { name: 'team', artifact: org },
  ]
  assert.throws(() => layered(twice), /`org` and `team` are both policy `org` and both count `calls\/day@pay`/)
  for (const name of ['', '1', 'a.b', '__proto__', 'a b', 'x'.repeat(65)])
    assert.throws(() => layered([{ name, artifact: org }]), { code: 'layers_invalid' }, name)
  const same = { name: 'org', artifact: team }
  assert.throws(() => layered([{ name: 'org', artifact: org }, same]), /two layers are called `org`/)
  const many = Array.from({ length: 17 }, (_, index) => ({ name: `l${index}`, artifact: org }))
  assert.throws(() => layered(many), /17 layers, 16 are allowed/)
})

test('a check says what the layers say and charges nothing', () => {
  const { gate, ledger } = open({ org, team })
  for (let i = 0; i < 9; i++) assert.equal(gate.check(call('pay')).decision, 'allow')
  assert.deepEqual(bodies(ledger).at(-1).input.facts.team, { 'calls/day@pay': 0 })
  assert.equal(gate.check(call('other')).layers?.length, 2)
})
