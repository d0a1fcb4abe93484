/** Calls that arrive together, and answers that arrive before somebody reads them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Incoming, Unsent } from '../../src/http/incoming.ts'
import { judgedTogetherMax } from '../../src/http/limits.ts'
import { Together } from '../../src/http/together.ts'
import type { Call } from '../../src/model/call.ts'
import { NamedGatekeeper } from '../mcp/fixtures/gatekeeper.ts'

const callOf = (name: string): Call => ({
  method: 'tools/call',
  server: 'srv',
  name,
  arguments: {},
  principal: {},
  session: 's',
})

test('what arrives in one turn is judged in one transaction, and each hears of its own calls', async () => {
  const batches: number[] = []
  const gate = new NamedGatekeeper({ deny: ['no'] }, (event) => {
    if (event.event === 'admit') batches.push(event.calls.length)
  })
  const together = new Together(gate)
  const heard = await Promise.all(
    ['yes', 'no', 'none', 'both', ...Array.from({ length: judgedTogetherMax }, () => 'yes')].map(async (name) => {
      const calls = name === 'none' ? [] : name === 'both' ? [callOf('no'), callOf('yes')] : [callOf(name)]
      const { toClient } = await together.decide({
        calls,
        conclude: (decisions) => ({ toServer: [], toClient: decisions.map(({ decision }) => decision) }),
      })
      return toClient.join()
    }),
  )
  assert.deepEqual(heard.slice(0, 5), ['allow', 'deny', '', 'deny,allow', 'allow'])
  assert.deepEqual(batches, [judgedTogetherMax + 1, 3])
})

test('what fails for one keeps nobody else waiting, and a gate that fails fails all', async () => {
  const fine = { calls: [callOf('yes')], conclude: () => ({ toServer: ['on'], toClient: [] }) }
  const failing = {
    calls: [callOf('yes')],
    conclude: () => {
      throw new Error('for one')
    },
  }
  const together = new Together(new NamedGatekeeper({}, () => {}))
  const [first, second, third] = await Promise.allSettled([fine, failing, fine].map((one) => together.decide(one)))
  assert.deepEqual([first?.status, second?.status, third?.status], ['fulfilled', 'rejected', 'fulfilled'])
  const broken = new Together({
    admit: () => {
      throw new Error('for all')
    },
  })
  await assert.rejects(async () => broken.decide(fine), /for all/)
})

/** An answer without a connection. */
function incoming() {
  const controller = { paused: false, aborted: false, reason: null }
  const control = {
    ...controller,
    abort: () => {},
    pause: () => {
      control.paused = true
    },
    resume: () => {
      control.paused = false
    },
  }
  let failed: Error | undefined
  let status = 0
  const answer = new Incoming(
    (answered) => {
      status = answered.status
    },
    (error) => {
      failed = error
    },
  )
  return { answer, control, failed: () => failed, status: () => status }
}

test('an answer is read as it comes, and waits for its reader', async () => {
  const { answer, control, status } = incoming()
  answer.onRequestStart(control)
  answer.onResponseStart(control, 103, {})
  assert.equal(status(), 0)
  answer.onResponseStart(control, 200, {})
  assert.equal(status(), 200)
  answer.onResponseData(control, Buffer.from('a'))
  answer.onResponseData(control, Buffer.alloc(300 * 1024, 'b'))
  assert.equal(control.paused, true)
  assert.equal(Buffer.concat([...((await answer.next()) ?? [])]).length, 300 * 1024 + 1)
  assert.equal(control.paused, false)
  const next = answer.next()
  answer.onResponseData(control, Buffer.from('c'))
  assert.deepEqual(await next, [Buffer.from('c')])
  answer.onResponseEnd()
  assert.equal(await answer.next(), undefined)
})

test('what was broken off before a connection took it was not sent', () => {
  const before = incoming()
  before.answer.abort(new Error('the caller left'))
  assert.ok(before.failed() instanceof Unsent)
  const after = incoming()
  after.answer.onRequestStart(after.control)
  after.answer.abort(new Error('the caller left'))
  assert.equal(after.failed()?.message, 'the caller left')
  assert.ok(!(after.failed() instanceof Unsent))
})
