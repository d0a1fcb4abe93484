/** Cases are played through a whole gate, each over an empty ledger, and what differs is told with all that came of it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildPolicy } from '../../src/bundle/build.ts'
import type { Call } from '../../src/model/call.ts'
import type { Json } from '../../src/model/canonical.ts'
import { activePolicy } from '../../src/runtime/policyFile.ts'
import { playCase, playSuite, type WatchedCall } from '../../src/testing/play.ts'
import type { Case, Expected, Step } from '../../src/testing/suite.ts'

const policy = `version: "1"
default: deny
tools:
  pay: { rules: [{ name: cap, spend: { daily: 100 }, rate_limit: 3/day }] }
  wire: { rules: [{ name: ask, action: require_approval }] }
`
const active = activePolicy(await buildPolicy({ name: 'p.yaml', text: policy }))

const at = { file: 'p_test.yaml', line: 1, col: 1 }
const startMs = Date.parse('2026-01-05T12:00:00Z')
const hourMs = 3_600_000

const pay = (amount: Json, more: Partial<Extract<Step, { kind: 'call' }>> = {}): Step => ({
  ...{ kind: 'call', at, timeMs: startMs, times: 1, outcome: 'success', isFact: false, expect: [] },
  call: callOf('pay', { amount }),
  ...more,
})
const callOf = (name: string, args: Call['arguments']): Call => ({
  ...{ method: 'tools/call', server: '', principal: {}, session: '' },
  ...{ name, arguments: args },
})
const wanted = (value: Json, ...path: readonly string[]): readonly Expected[] => [{ path, value, at }]
const play = (...steps: readonly Step[]) => playCase({ name: 'x', at, steps }, active)

test('what is as expected passes, and what is not is told with what came of it', () => {
  assert.equal(play(pay(5, { expect: wanted('allow', 'decision') })).status, 'passed')
  const { status, failures } = play(pay(500, { expect: wanted('allow', 'decision') }))
  assert.equal(status, 'failed')
  assert.equal(failures[0]?.message, 'pay {"amount":500}')
  assert.deepEqual(failures[0]?.differences, [{ key: 'decision', expected: 'allow', got: 'deny', at }])
  assert.equal(failures[0]?.outcome?.['reason_code'], 'SPEND_LIMIT_EXCEEDED')
})

test('a member of what is not there is not as expected, not even where it is to be `null`', () => {
  const differences = (...path: readonly string[]) =>
    play(pay(5, { expect: wanted(null, ...path) })).failures[0]?.differences
  assert.deepEqual(differences('approval', 'wait_ms'), [
    { key: 'approval', expected: { wait_ms: null }, got: null, at },
  ])
  assert.deepEqual(differences('layers', 'org', 'risk_level'), [
    { key: 'layers', expected: { org: { risk_level: null } }, got: null, at },
  ])
  const held = pay(1, { call: callOf('wire', {}), expect: wanted(null, 'approval', 'wait_ms') })
  assert.deepEqual(play(held, pay(5, { expect: wanted(null, 'approval') })).failures, [])
})

test('every case begins with an empty ledger, and time goes on within it', () => {
  const spent = pay(30, { times: 3, expect: wanted('allow', 'decision') })
  const full = wanted('RATE_LIMITED', 'reason_code')
  const cases: readonly Case[] = [1, 2].map((n) => ({ name: `${n}`, at, steps: [spent, pay(1, { expect: full })] }))
  const suite = { file: 'p_test.yaml', kind: 'cases', policy: { files: [] }, cases } as const
  assert.deepEqual(
    playSuite(suite, active).map(({ status }) => status),
    ['passed', 'passed'],
  )
  const tomorrow = pay(1, { timeMs: startMs + 24 * hourMs, expect: wanted('allow', 'decision') })
  assert.equal(play(spent, tomorrow).status, 'passed')
  assert.deepEqual(
    playSuite(suite, active, { only: /2/ }).map(({ name }) => name),
    ['2'],
  )
})

test('of several calls the first that differs is told by its number', () => {
  const { failures } = play(pay(1, { times: 5, expect: wanted('allow', 'decision') }))
  assert.deepEqual(
    failures.map(({ message }) => message),
    ['pay {"amount":1}, time 4 of 5'],
  )
})

test('what was reserved is compared in units, and is given back where the server said that nothing happened', () => {
  const reserved = { 'calls/day@pay': 1, 'spend(amount)/day@pay': 60.5 }
  const first = pay(60.5, { outcome: 'error', expect: wanted(reserved, 'reserved') })
  assert.deepEqual(play(first, pay(60, { expect: wanted('allow', 'decision') })).failures, [])
  const kept = play({ ...first, outcome: 'unknown' } as Step, pay(60, { expect: wanted('allow', 'decision') }))
  assert.equal(kept.status, 'failed')
})

test('persons answer what was asked last, and stop who calls', () => {
  const wire = (decision: string) => pay(1, { call: callOf('wire', {}), expect: wanted(decision, 'decision') })
  const approve: Step = { kind: 'approve', at, timeMs: startMs, by: 'ada' }
  assert.deepEqual(play(wire('hold'), approve, wire('allow'), wire('hold')).failures, [])
  const stop: Step = { kind: 'kill', at, timeMs: startMs, target: { kind: 'tool', name: 'wire' } }
  assert.deepEqual(play(stop, wire('deny'), { ...stop, kind: 'lift' }, wire('hold')).failures, [])
  assert.deepEqual(
    [play(approve), play({ ...stop, kind: 'lift' })].map(({ status }) => status),
    ['errored', 'errored'],
  )
})

test('a case that starts from what the policy refuses cannot be played', () => {
  const { status, failures } = play(pay(60, { isFact: true }), pay(60, { isFact: true }))
  assert.equal(status, 'errored')
  assert.match(
    failures[0]?.message ?? '',
    /^what the case starts from cannot be: pay .* is refused \(deny, SPEND_LIMIT/,
  )
})

test('a list shows what the caller may see', () => {
  const asked = { server: '', principal: {}, session: '' }
  const items = [{ name: 'pay' }, { name: 'other' }]
  const list: Step = {
    ...{ kind: 'list', list: 'tools', at, timeMs: startMs, items, names: ['pay', 'other'], asked },
    expect: wanted(['pay', 'other'], 'shows'),
  }
  const [failure] = play(list).failures
  assert.deepEqual(failure?.differences, [{ key: 'shows', expected: ['pay', 'other'], got: ['pay'], at }])
})

test('whoever watches sees each call with the input that was judged', () => {
  const seen: WatchedCall[] = []
  playCase({ name: 'x', at, steps: [pay(5, { times: 2 })] }, active, (judged) => seen.push(judged))
  assert.deepEqual(
    seen.map(({ input }) => JSON.parse(input ?? '').facts['spend(amount)/day@pay']),
    [0, 5_000_000],
  )
})
