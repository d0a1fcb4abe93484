/** Check-only and the full pipeline: what is decided, what is run, what is charged, and what is written down. */
import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { NothingHappened, openGate, PolicyError, TollgateError } from '../../src/index.ts'
import { until } from '../until.ts'
import { opened, recordsOf, temporaryFolder } from './fixtures.ts'

const refunds = `
version: "1"
default: deny
tools:
  create_refund:
    rules:
      - name: caps
        spend: { amount: amount, per_call: 100, daily: 250 }
  get_balance: {}
  ping:
    rules: [{ rate_limit: 10/day }]
  per_user:
    rules: [{ rate_limit: 1/day, per: user }]
  close_account:
    rules: [{ action: require_approval }]
resources:
  "file:///public/*": {}
prompts:
  greet: {}
`

const allowAll = 'version: "1"\ndefault: allow\ntools: {}\n'

test('a policy that does not become active is in the record, with what it was refused for', async (t) => {
  const file = join(temporaryFolder(t), 'ledger.db')
  const mistaken = { name: 'mistaken.yaml', text: 'version: "1"\ndefault: deny\ntools: { pay: { rulez: [] } }' }
  await assert.rejects(openGate({ policy: mistaken, ledger: file }), PolicyError)
  const bodies = recordsOf(file)
  assert.deepEqual(
    bodies.map(({ type }) => type),
    ['start', 'activation_failure', 'stop'],
  )
  assert.deepEqual([bodies[1].sources, bodies[1].error_code], [['mistaken.yaml'], 'policy_invalid'])
  assert.match(bodies[1].detail, /mistaken\.yaml:3:\d+:? .*`rulez`/)
})

test('a check says what the decision would be, reserves nothing and is recorded as a check', async (t) => {
  const { gate, records } = await opened(t, refunds)
  for (let i = 0; i < 5; i++) {
    const decision = gate.check({ server: 'shop', tool: 'create_refund', arguments: { amount: 100 } })
    assert.equal(decision.decision, 'allow')
    assert.equal(decision.revision, gate.revision)
  }
  const over = gate.check({ server: 'shop', tool: 'create_refund', arguments: { amount: 101 } })
  assert.equal(over.reason_code, 'SPEND_PER_CALL_EXCEEDED')
  assert.deepEqual(
    records('check', 'decision', 'outcome').map(({ type, name, result }) => [type, name, result.decision]),
    [...Array(5).fill(['check', 'create_refund', 'allow']), ['check', 'create_refund', 'deny']],
  )
})

test('an allowed call runs the function and is recorded with its outcome', async (t) => {
  const { gate, records } = await opened(t, refunds)
  const outcome = await gate.call({ tool: 'create_refund', arguments: { amount: 40, to: 'ann' } }, (args, decision) => {
    assert.equal(decision.decision, 'allow')
    assert.equal(records('decision').at(-1)?.decision_id, decision.decision_id, 'the decision is recorded before')
    return { refunded: args.amount, to: args.to }
  })
  assert.ok(outcome.allowed)
  assert.deepEqual(outcome.result, { refunded: 40, to: 'ann' })
  const [decision, ended] = records('decision', 'outcome')
  assert.deepEqual(decision.arguments, { amount: 40, to: 'ann' })
  assert.deepEqual([ended.status, ended.decision_id], ['success', outcome.decision.decision_id])
})

test('a refused call does not run the function', async (t) => {
  const { gate } = await opened(t, refunds)
  const outcome = await gate.call({ tool: 'delete_everything' }, () => assert.fail('it ran'))
  assert.ok(!outcome.allowed)
  assert.equal(outcome.decision.reason_code, 'TOOL_NOT_ALLOWED')
})

test('a held call does not run the function and names what a person has to approve', async (t) => {
  const { gate } = await opened(t, refunds)
  const outcome = await gate.call({ tool: 'close_account' }, () => assert.fail('it ran'))
  assert.ok(!outcome.allowed)
  assert.equal(outcome.decision.decision, 'hold')
  assert.match(outcome.decision.approval?.id ?? '', /^apr_/)
})

test('the function gets the arguments that were judged, whatever the caller does to its own', async (t) => {
  const { gate } = await opened(t, refunds)
  const mine = { amount: 1, lines: [{ sku: 'a' }] }
  const running = gate.call({ tool: 'create_refund', arguments: mine }, async (args) => {
    await new Promise((resolve) => setTimeout(resolve, 5))
    return args
  })
  mine.amount = 1_000_000
  mine.lines[0] = { sku: 'everything' }
  const outcome = await running
  assert.deepEqual(outcome.allowed && outcome.result, { amount: 1, lines: [{ sku: 'a' }] })
})

test('a function that throws leaves its charge in place, since it may have acted', async (t) => {
  const { gate, records } = await opened(t, refunds)
  const lost = new Error('the connection was lost')
  const call = gate.call({ tool: 'create_refund', arguments: { amount: 100 } }, () => Promise.reject(lost))
  await assert.rejects(call, (error) => error === lost)
  assert.equal(records('outcome')[0].status, 'unknown')
  assert.equal(gate.check({ tool: 'create_refund', arguments: { amount: 100 } }).decision, 'allow')
  await assert.rejects(
    gate.call({ tool: 'create_refund', arguments: { amount: 100 } }, () => {
      throw lost
    }),
  )
  const third = gate.check({ tool: 'create_refund', arguments: { amount: 100 } })
  assert.equal(third.reason_code, 'SPEND_LIMIT_EXCEEDED')
})

test('a function that throws NothingHappened gets its charge back', async (t) => {
  const { gate, records } = await opened(t, refunds)
  for (let i = 0; i < 5; i++) {
    const call = gate.call({ tool: 'create_refund', arguments: { amount: 100 } }, async () => {
      throw new NothingHappened('the card was declined')
    })
    await assert.rejects(call, (error) => error instanceof NothingHappened && error.code === 'nothing_happened')
  }
  const [first] = records('outcome')
  assert.deepEqual([first.status, first.detail], ['error', 'nothing happened: the card was declined'])
})

test('an MCP result that says nothing was done gives the charge back', async (t) => {
  const { gate, records } = await opened(t, refunds)
  const results = [{ isError: true, content: [] }, { resultType: 'input_required' }, { isError: 'yes' }, undefined]
  for (const result of results) {
    await gate.call({ tool: 'create_refund', arguments: { amount: 80 } }, () => result)
  }
  assert.deepEqual(
    records('outcome').map(({ status }) => status),
    ['error', 'unknown', 'success', 'success'],
  )
})

test('of forty calls at once exactly as many run as the limit has room for', async (t) => {
  const { gate } = await opened(t, refunds)
  let ran = 0
  const work = async () => {
    ran++
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  const outcomes = await Promise.all(Array.from({ length: 40 }, () => gate.call({ tool: 'ping' }, work)))
  assert.equal(ran, 10)
  assert.equal(outcomes.filter(({ allowed }) => allowed).length, 10)
  const refused = outcomes.find(({ allowed }) => !allowed)
  assert.equal(refused?.decision.reason_code, 'RATE_LIMITED')
  assert.ok((refused?.decision.retry_after_ms ?? 0) > 0)
})

test('gates that share a ledger share its limits', async (t) => {
  const one = await opened(t, refunds)
  const two = await opened(t, refunds, { ledger: one.ledger })
  for (let i = 0; i < 5; i++) {
    assert.ok((await one.gate.call({ tool: 'ping' }, () => {})).allowed)
    assert.ok((await two.gate.call({ tool: 'ping' }, () => {})).allowed)
  }
  assert.equal(one.gate.check({ tool: 'ping' }).decision, 'deny')
  assert.equal(two.gate.check({ tool: 'ping' }).decision, 'deny')
})

test('windows follow the clock that the gate was given', async (t) => {
  let now = Date.UTC(2026, 0, 1, 12)
  const { gate } = await opened(t, refunds, { clock: () => now })
  for (let i = 0; i < 10; i++) await gate.call({ tool: 'ping' }, () => {})
  assert.equal(gate.check({ tool: 'ping' }).retry_after_ms, 12 * 3_600_000)
  now += 12 * 3_600_000
  assert.equal(gate.check({ tool: 'ping' }).decision, 'allow')
})

test('a clock that fails is a deny', async (t) => {
  let clock = () => Date.now()
  const { gate, reports } = await opened(t, refunds, { clock: () => clock() })
  clock = () => {
    throw new Error('no time')
  }
  assert.equal(gate.check({ tool: 'get_balance' }).reason_code, 'GATE_FAILED')
  assert.equal(reports.length, 1)
})

test('resources and prompts are judged as tools are', async (t) => {
  const { gate } = await opened(t, refunds)
  assert.equal(gate.check({ resource: 'file:///public/a.txt' }).decision, 'allow')
  assert.equal(gate.check({ resource: 'file:///etc/passwd' }).reason_code, 'RESOURCE_NOT_ALLOWED')
  assert.equal(gate.check({ resource: 'file:///public/../etc/passwd' }).reason_code, 'RESOURCE_URI_UNSAFE')
  assert.equal(gate.check({ prompt: 'greet', arguments: { name: 'Ann' } }).decision, 'allow')
  assert.equal(gate.check({ prompt: 'other' }).reason_code, 'PROMPT_NOT_ALLOWED')
})

test('what the gate was told of the caller holds for calls that do not say otherwise', async (t) => {
  const principal = { user: 'ann', agent: 'support' }
  const { gate, records } = await opened(t, refunds, { principal, session: 'first' })
  gate.check({ tool: 'get_balance' })
  gate.check({ tool: 'get_balance', server: 'bank', principal: { user: 'bob' }, session: 'second' })
  const said = records('check').map(({ server, principal, session_id }) => ({ server, principal, session_id }))
  assert.deepEqual(said, [
    { server: 'shop', principal, session_id: 'first' },
    { server: 'bank', principal: { user: 'bob' }, session_id: 'second' },
  ])
})

test('a limit per user counts each user apart, and all that are not known as one', async (t) => {
  const { gate } = await opened(t, refunds)
  const call = (user: string | undefined) => gate.call({ tool: 'per_user', principal: { user } }, () => {})
  assert.ok((await call('ann')).allowed)
  assert.ok(!(await call('ann')).allowed)
  assert.ok((await call('bob')).allowed)
  assert.ok((await call(undefined)).allowed)
  assert.ok(!(await call(undefined)).allowed)
})

test('what is kept of the arguments is the choice of the program', async (t) => {
  const secret = { amount: 1, token: 's3cret' }
  for (const argumentsKept of ['full', 'digest', 'none'] as const) {
    const { gate, records } = await opened(t, refunds, { argumentsKept })
    gate.check({ tool: 'create_refund', arguments: secret })
    const [record] = records('check')
    assert.equal('arguments' in record, argumentsKept === 'full')
    assert.equal('arguments_sha256' in record, argumentsKept === 'digest')
  }
})

test('a closed gate denies, and says so to whoever listens', async (t) => {
  const { gate, reports } = await opened(t, allowAll)
  gate.close()
  gate.close()
  assert.equal(gate.check({ tool: 'get_balance' }).reason_code, 'LEDGER_UNAVAILABLE')
  const outcome = await gate.call({ tool: 'get_balance' }, () => assert.fail('it ran'))
  assert.equal(outcome.decision.decision, 'deny')
  assert.equal(gate.check({ tool: 'x', arguments: { at: new Date() as never } }).decision, 'deny')
  assert.ok(reports.every(({ error }) => error instanceof TollgateError && error.code === 'ledger_unavailable'))
})

test('a call that was running when the gate closed is unknown when the ledger is next opened', async (t) => {
  const { gate, ledger } = await opened(t, refunds)
  let finish = () => {}
  const running = gate.call({ tool: 'create_refund', arguments: { amount: 100 } }, () => {
    return new Promise<void>((resolve) => {
      finish = resolve
    })
  })
  gate.close()
  finish()
  assert.ok((await running).allowed)
  const next = await opened(t, refunds, { ledger })
  assert.deepEqual(
    recordsOf(ledger)
      .filter(({ status }) => status !== undefined)
      .map(({ status }) => status),
    ['unknown'],
  )
  const left = next.gate.check({ tool: 'create_refund', arguments: { amount: 100 } })
  assert.equal(left.decision, 'allow')
})

test('a policy with mistakes does not open, and every mistake has its place', async (t) => {
  const folder = temporaryFolder(t)
  const text = 'version: "1"\ndefault: deny\ntools:\n  pay:\n    rules: [{ rate_limt: 1/day }]\n  ask: { ruls: [] }\n'
  const opening = openGate({ policy: { name: 'bad.yaml', text }, ledger: join(folder, 'ledger.db') })
  await assert.rejects(opening, (error) => {
    assert.ok(error instanceof PolicyError)
    assert.equal(error.code, 'policy_invalid')
    assert.deepEqual(
      error.diagnostics.filter(({ severity }) => severity === 'error').map(({ file, line }) => [file, line]),
      [
        ['bad.yaml', 5],
        ['bad.yaml', 6],
      ],
    )
    return true
  })
})

test('what cannot be opened says why with a code', async (t) => {
  const folder = temporaryFolder(t)
  const policy = { name: 'policy.yaml', text: allowAll }
  writeFileSync(join(folder, 'text.db'), 'this is a text and no database, for more than a hundred bytes'.repeat(20))
  const codeOf = (options: Parameters<typeof openGate>[0]) => openGate(options).catch(({ code }) => code)
  assert.equal(await codeOf({ policy: join(folder, 'none.yaml'), ledger: ':memory:' }), 'policy_unreadable')
  assert.equal(await codeOf({ policy: folder, ledger: ':memory:' }), 'policy_unreadable')
  assert.equal(await codeOf({ policy, ledger: join(folder, 'text.db', 'ledger.db') }), 'ledger_unavailable')
  assert.equal(await codeOf({ policy, ledger: join(folder, 'text.db') }), 'ledger_corrupt')
})

test('wrong options are a TypeError that names the option', async () => {
  const good = { policy: { name: 'p', text: allowAll }, ledger: ':memory:' }
  const bad: readonly [object | undefined, RegExp][] = [
    [undefined, /options/],
    [{ ledger: ':memory:' }, /`policy`/],
    [{ ...good, policy: '' }, /`policy`/],
    [{ ...good, policy: { text: allowAll } }, /`policy.name`/],
    [{ ...good, policy: { name: 'p', text: 7 } }, /`policy.text`/],
    [{ policy: good.policy }, /`ledger`/],
    [{ ...good, ledger: ' ' }, /`ledger`/],
    [{ ...good, watch: true }, /`watch`/],
    [{ ...good, watch: 'yes' }, /`watch`/],
    [{ ...good, durability: 'disk' }, /`durability`/],
    [{ ...good, argumentsKept: 'some' }, /`argumentsKept`/],
    [{ ...good, clock: 5 }, /`clock`/],
    [{ ...good, onReport: 'x' }, /`onReport`/],
    [{ ...good, server: '' }, /`server`/],
    [{ ...good, session: 7 }, /`session`/],
    [{ ...good, principal: { agent: '' } }, /`agent`/],
    [{ ...good, principal: { usr: 'ann' } }, /`usr`/],
    [{ ...good, principle: { user: 'ann' } }, /`principle`/],
  ]
  for (const [options, expected] of bad) {
    await assert.rejects(openGate(options as never), (error) => {
      assert.ok(error instanceof TypeError, String(error))
      assert.match(error.message, expected)
      return true
    })
  }
})

test('without a function the call is a mistake of the program, and is not judged', async (t) => {
  const { gate, records } = await opened(t, allowAll)
  await assert.rejects(gate.call({ tool: 'x' }, undefined as never), TypeError)
  assert.deepEqual(records('decision'), [])
})

test('a watched policy changes with its file, and a bad edit changes nothing', async (t) => {
  const folder = temporaryFolder(t)
  const policy = join(folder, 'policy.yaml')
  writeFileSync(policy, refunds)
  const { gate, reports } = await opened(t, '', { policy, watch: true })
  const first = gate.revision
  let changes = 0
  const stop = gate.onPolicyChange(() => changes++)
  assert.equal(gate.check({ tool: 'other' }).decision, 'deny')
  writeFileSync(policy, allowAll)
  await until(() => gate.revision !== first, 'the new policy')
  assert.equal(gate.check({ tool: 'other' }).decision, 'allow')
  assert.equal(changes, 1)
  writeFileSync(policy, 'version: "1"\ndefalt: deny\n')
  await until(() => reports.some(({ error }) => error instanceof PolicyError), 'the report')
  assert.equal(gate.check({ tool: 'other' }).decision, 'allow')
  rmSync(policy)
  await until(() => gate.revision === '', 'the end of the policy')
  assert.equal(gate.check({ tool: 'other' }).reason_code, 'POLICY_UNAVAILABLE')
  assert.equal(changes, 2)
  stop()
  writeFileSync(policy, refunds)
  await until(() => gate.revision === first, 'the policy again')
  assert.equal(changes, 2)
})

test('a policy from elsewhere takes the place of the old one, in the order of the calls', async (t) => {
  const { gate } = await opened(t, refunds)
  const first = gate.revision
  const wrong = gate.activate({ name: 'wrong.yaml', text: 'version: 7' })
  const right = gate.activate({ name: 'right.yaml', text: allowAll })
  const again = gate.activate({ name: 'policy.yaml', text: refunds })
  await assert.rejects(wrong, PolicyError)
  assert.equal(gate.revision, first)
  await right
  assert.notEqual(gate.revision, first)
  await again
  assert.equal(gate.revision, first)
  assert.throws(() => gate.activate({ text: allowAll } as never), TypeError)
})

test('a listener that throws stops nobody', async (t) => {
  const { gate, reports } = await opened(t, refunds)
  let told = 0
  gate.onPolicyChange(() => {
    throw new Error('not my day')
  })
  gate.onPolicyChange(() => told++)
  await gate.activate({ name: 'p', text: allowAll })
  assert.equal(told, 1)
  assert.match(reports[0]?.message ?? '', /not my day/)
})

test('a listener of reports that throws stops no decision', async (t) => {
  const warnings: Error[] = []
  const listen = (warning: Error) => void warnings.push(warning)
  process.on('warning', listen)
  t.after(() => process.off('warning', listen))
  const onReport = () => {
    throw new Error('cannot listen')
  }
  const { gate } = await opened(t, refunds, { onReport })
  gate.close()
  assert.equal(gate.check({ tool: 'ping' }).decision, 'deny')
  await until(() => warnings.length === 2, 'the warnings')
  assert.ok(warnings.every(({ name }) => name === 'TollgateWarning'))
})
