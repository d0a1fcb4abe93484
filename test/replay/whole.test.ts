/** What a record tells of the arguments of a call, for a policy that is given all of them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Input } from '../../src/model/call.ts'
import { inputOf, project } from '../../src/model/input.ts'
import type { Plan } from '../../src/model/plan.ts'
import { planOfRego } from '../../src/model/rego.ts'
import { planFor } from '../../src/model/strategy.ts'
import { unionOf } from '../../src/model/union.ts'
import type { RecordedCall } from '../../src/replay/event.ts'
import { knownCall } from '../../src/replay/known.ts'
import { policyOf } from './arbitrary.ts'

const call = {
  method: 'tools/call',
  server: 's',
  name: 'pay',
  arguments: { to: { name: 'ada', more: [1, { x: 2 }] }, amount: 5 },
  principal: {},
  session: '',
} as const
const native = policyOf(
  'version: "1"\ndefault: deny\ntools:\n  pay: { rules: [{ arguments: { amount: { max: 9 } } }] }\n',
)
const planOfNative = planFor(native, call)

function recorded(plan: Plan, more: Partial<RecordedCall> = {}): RecordedCall {
  const input: Input = inputOf(call, plan, {}, {}, 0)
  return { call: { ...call, arguments: {} }, arguments: { kept: 'none' }, hidden: [], input, ...more } as RecordedCall
}

test('arguments are given as they are, and to the layers beside it as far as they read them', () => {
  assert.deepEqual(project(call.arguments, planOfRego.shape), call.arguments)
  const both = unionOf([
    { name: 'rego', plan: planOfRego },
    { name: 'native', plan: planOfNative },
  ])
  assert.deepEqual(project(call.arguments, both.shape), call.arguments)
  assert.deepEqual(project(call.arguments, planOfNative.shape), { amount: 5 })
})

test('what it judged has all that any other policy reads', () => {
  assert.deepEqual(knownCall(recorded(planOfRego), planOfNative, planOfRego), call)
  assert.deepEqual(knownCall(recorded(planOfRego), planOfRego, planOfRego), call)
})

test('it wants every argument: nothing less is known of a call', () => {
  const lack = { cause: 'arguments', needs: ['every argument'] }
  assert.deepEqual(knownCall(recorded(planOfNative), planOfRego, planOfNative), lack)
  assert.deepEqual(knownCall(recorded(planOfRego), planOfRego, undefined), lack)
  const masked = recorded(planOfRego, {
    arguments: { kept: 'whole', value: {} },
    hidden: [['arguments', 'to', 'name']],
  })
  assert.deepEqual(knownCall(masked, planOfRego, planOfRego), { cause: 'masked', needs: ['arguments.to.name'] })
  assert.deepEqual((knownCall(masked, planOfNative, planOfRego) as { cause?: string }).cause, undefined)
})
