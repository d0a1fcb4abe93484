/** A client that does what it likes against an honest server: no budget is exceeded, and nothing goes on without a record. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildPolicy } from '../../src/bundle/build.ts'
import { openLedger } from '../../src/ledger/ledger.ts'
import { describeWith } from '../../src/log/describe.ts'
import { Gate } from '../../src/pep/gate.ts'
import { activePolicy } from '../../src/runtime/policyFile.ts'
import { fc, tries } from '../random.ts'
import { result, Scope, toolCall } from './fixtures/scope.ts'

const cap = 10
const artifact = await buildPolicy({
  name: 'budget.yaml',
  text: `version: "1"\ndefault: deny\ntools:\n  pay: { rules: [{ spend: { daily: ${cap} } }] }\n`,
})
const policy = activePolicy(artifact)

const id = fc.constantFrom<string | number>(1, 2, 3, '1', '2', 'a')
const fromClient = fc.oneof(
  fc.record({ kind: fc.constant('call' as const), id, amount: fc.integer({ min: 1, max: 6 }) }),
  fc.record({ kind: fc.constant('cancel' as const), id }),
  fc.record({ kind: fc.constant('ping' as const), id }),
  fc.record({ kind: fc.constant('garbage' as const), id }),
)
/** The server answers the call that has waited longest, or the newest; twice where `again` is set. */
const fromServer = fc.record({ failed: fc.boolean(), newest: fc.boolean(), again: fc.boolean() })
const traffic = fc.array(
  fc.oneof(
    fc.record({ side: fc.constant('client' as const), messages: fc.array(fromClient, { minLength: 1, maxLength: 6 }) }),
    fc.record({ side: fc.constant('server' as const), answer: fromServer }),
    fc.record({ side: fc.constant('time' as const) }),
  ),
  { maxLength: 40 },
)

type FromClient = typeof fromClient extends fc.Arbitrary<infer T> ? T : never

function messageOf(one: FromClient): object {
  switch (one.kind) {
    case 'call':
      return toolCall(one.id, 'pay', { amount: one.amount })
    case 'cancel':
      return { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: one.id } }
    case 'ping':
      return { jsonrpc: '2.0', id: one.id, method: 'ping' }
    case 'garbage':
      return { jsonrpc: '2.0', id: one.id, method: 'tools/call', params: { name: 'pay', arguments: [] } }
  }
}

test('no order of calls, cancellations and answers spends more than the cap, or leaves a call without its end', () => {
  fc.assert(
    fc.property(traffic, (steps) => {
      const ledger = openLedger({ file: ':memory:', clock: () => 1_000 })
      const due: (() => void)[] = []
      const gate = new Gate({
        ledger,
        describe: describeWith({ id: 'test', version: '0' }, 'full'),
        newId: () => crypto.randomUUID(),
        report: (error) => assert.fail(String(error)),
        later: (work) => due.push(work),
      })
      gate.activate(policy)
      const scope = new Scope({}, { gate })
      const waiting: { readonly id: string | number; readonly amount: number }[] = []
      let happened = 0
      let forwarded = 0
      for (const step of steps) {
        if (step.side === 'time') for (const work of due.splice(0)) work()
        if (step.side === 'client') {
          for (const line of scope.client(...step.messages.map(messageOf)).toServer) {
            const sent = JSON.parse(line)
            if (sent.method !== 'tools/call') continue
            forwarded++
            waiting.push({ id: sent.id, amount: sent.params.arguments.amount })
          }
        }
        if (step.side === 'server') {
          const call = step.answer.newest ? waiting.pop() : waiting.shift()
          if (call === undefined) continue
          const answer = result(call.id, step.answer.failed ? { isError: true, content: [] } : { content: [] })
          if (!step.answer.failed) happened += call.amount
          scope.server(answer, ...(step.answer.again ? [answer] : []))
        }
        const underWay = waiting.reduce((sum, { amount }) => sum + amount, 0)
        assert.ok(happened + underWay <= cap, `${happened} and ${underWay} under way`)
      }
      scope.gone()
      gate.flush()
      const bodies = [...ledger.records()].map(({ body }) => JSON.parse(body))
      const allowed = bodies.filter(({ type, result }) => type === 'decision' && result.decision === 'allow')
      const ended = bodies.filter(({ type }) => type === 'outcome').map(({ decision_id }) => decision_id)
      assert.equal(allowed.length, forwarded)
      assert.deepEqual(ended.toSorted(), allowed.map(({ decision_id }) => decision_id).toSorted())
      assert.equal(ledger.verify().intact, true)
      ledger.close()
    }),
    { numRuns: tries(500) },
  )
})
