/** Files of decisions: what was exported says what the ledger says, OPA's logs are read, and what is damaged is said to be so. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { readDecisionEvents } from '../../src/cli/replaySource.ts'
import { viewOf } from '../../src/log/view.ts'
import type { StoredRecord } from '../../src/model/ledger.ts'
import { changeOf } from '../../src/replay/change.ts'
import type { RecordedCall, RecordedEvent } from '../../src/replay/event.ts'
import type { Judgement } from '../../src/replay/replay.ts'
import { ValueSplitter } from '../../src/replay/values.ts'
import { fc, seed, tries } from '../random.ts'
import { busy, firstLists, payments, policyOf, sample, stepsOf } from './arbitrary.ts'
import { activeOf, record, replayed } from './recording.ts'

const folder = mkdtempSync(join(tmpdir(), 'tollgate-replay-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const progress = { show: () => {}, clear: () => {} }
let files = 0

async function eventsOf(
  bytes: string | Buffer,
): Promise<{ events: RecordedEvent[]; disordered: number; missing: number }> {
  const file = join(folder, `${++files}`)
  writeFileSync(file, bytes)
  const events: RecordedEvent[] = []
  const { disordered, missing } = await readDecisionEvents(file, (event) => events.push(event), progress)
  return { events, disordered, missing }
}

const says = (judgement: Judgement) =>
  'decision' in judgement
    ? [judgement.decision.decision, judgement.decision.rule, judgement.decision.reason_code]
    : 'not judged'

/** Another policy than the one that decided, without pinning: an export does not have the policies that decided. */
const other = activeOf({ ...withoutPinning(), id: 'other' })

function withoutPinning() {
  const { pinning: _, ...policy } = busy
  return policy
}

function exported(records: readonly StoredRecord[], kinds?: readonly string[]): string {
  const shown = kinds ? records.filter(({ kind }) => kinds.includes(kind)) : records
  const views = shown.map((one) => {
    const later = records.filter(({ decisionId, seq }) => decisionId === one.decisionId && seq > one.seq)
    return viewOf(one, one.decisionId === undefined ? [] : later)
  })
  return views.map((view) => `${JSON.stringify(view)}\n`).join('')
}

test(`an export of all records is replayed as the ledger is (seed ${seed})`, async () => {
  for (const steps of sample(stepsOf(payments, 250), 3)) {
    const { records, events } = record(activeOf(withoutPinning()), [...firstLists, ...steps])
    const lines = exported(records)
    const wanted = replayed(other, events).map(says)
    assert.ok(wanted.length > 100)
    assert.deepEqual(replayed(other, (await eventsOf(lines)).events).map(says), wanted)
    // As `--format json` writes it, and packed.
    const array = gzipSync(`[\n${lines.trim().replaceAll('\n', ',\n')}\n]\n`)
    assert.deepEqual(replayed(other, (await eventsOf(array)).events).map(says), wanted)
  }
})

test('an export of decisions alone has how they ended in it, and that a person approved', async () => {
  const policy = policyOf(`version: "1"
policy_id: p
default: deny
tools:
  pay:
    rules:
      - { name: cap, spend: { amount: amount, daily: 100 } }
      - { name: ask, action: require_approval, arguments: { amount: { min: 50 } } }
`)
  const pay = (amount: number, ends: 'success' | 'error' = 'success') =>
    ({
      do: 'call',
      ends,
      call: { method: 'tools/call', server: 'b', name: 'pay', arguments: { amount }, principal: {}, session: 's' },
    }) as const
  const { records } = record(activeOf(policy), [
    pay(40, 'error'),
    pay(45),
    pay(55),
    { do: 'approve', of: 0, by: 'ada' },
    { do: 'again', of: 0, ends: 'success' },
    pay(1),
    pay(51),
  ])
  const { events } = await eventsOf(exported(records, ['decision', 'check']))
  const judged = replayed(activeOf(policy), events)
  assert.deepEqual(
    judged.map((one) =>
      'decision' in one ? [one.decision.decision, changeOf(one.recorded.decided, one.decision)] : one,
    ),
    [
      ['allow', undefined],
      ['allow', undefined],
      ['hold', undefined],
      ['allow', undefined],
      ['deny', undefined],
      ['deny', undefined],
    ],
  )
})

const opa = (input: unknown, result: unknown, more: object = {}) => ({
  decision_id: `d-${++files}`,
  timestamp: '2026-03-02T09:00:00.123456789Z',
  path: 'mcp/allow',
  input,
  result,
  ...more,
})

const payUpTo = activeOf(
  policyOf(
    'version: "1"\npolicy_id: p\ndefault: deny\ntools: { pay: { rules: [{ name: cap, arguments: { amount: { max: 5 } } }] } }\n',
  ),
)

async function changesOf(values: readonly unknown[]): Promise<unknown[]> {
  const { events } = await eventsOf(gzipSync(JSON.stringify(values)))
  return replayed(payUpTo, events).map((one) =>
    'decision' in one
      ? [one.decision.decision, changeOf(one.recorded.decided, one.decision) ?? 'same']
      : 'lack' in one
        ? one.lack
        : one,
  )
}

test('a decision log of OPA is read, whichever shape its input has', async () => {
  const request = (amount: number) => ({
    method: 'tools/call',
    params: { name: 'pay', arguments: { amount } },
    user: 'ada',
  })
  assert.deepEqual(
    await changesOf([
      opa({ tool: 'pay', arguments: { amount: 3 }, agent: 'bot' }, true),
      opa({ tool: 'pay', arguments: { amount: 9 } }, { allow: true }),
      opa(request(3), undefined),
      opa(request(9), { decision: 'deny', rule: 'cap', reason_code: 'ARGUMENT_REJECTED' }),
      opa(request(9), { decision: 'deny', rule: 'old', reason_code: 'ARGUMENT_REJECTED' }),
      opa({ path: ['users', 'ada'] }, true),
      { level: 'info', msg: 'Received request.', time: '2026-03-02T09:00:00Z' },
    ]),
    [
      ['allow', 'same'],
      ['deny', 'newly_denied'],
      ['allow', 'newly_allowed'],
      ['deny', 'same'],
      ['deny', 'other_rule'],
    ],
  )
})

test('a decision log says by the words of a bundle of Rego what was held', async () => {
  const held = opa({ tool: 'pay' }, { decision: 'require_approval', rule: 'large' })
  const { events } = await eventsOf(JSON.stringify(held))
  const [call] = events as readonly RecordedCall[]
  assert.deepEqual(call?.decided, { decision: 'hold', reason_code: '', rule: 'large' })
})

test('what OPA masked or erased is not known, and neither is what a policy of ours did not read', async () => {
  const document = {
    v: 1,
    method: 'tools/call',
    server: 's',
    tool: 'pay',
    arguments: { amount: 3 },
    amounts: {},
    facts: {},
    principal: {},
    session: '',
  }
  const allowed = { decision: 'allow', rule: 'pay', reason_code: 'ALLOW', message: '' }
  const call = { tool: 'pay', arguments: { amount: 3 } }
  const masked = { cause: 'masked', needs: ['arguments.amount'] }
  assert.deepEqual(
    await changesOf([
      opa(call, true, { erased: ['/input/arguments/amount'] }),
      opa({ method: 'tools/call', params: { name: 'pay', arguments: {} } }, true, {
        masked: ['/input/params/arguments/amount'],
      }),
      opa(call, true, { erased: ['/input/arguments/note'], masked: ['/result/x'] }),
      opa(document, allowed),
      opa({ ...document, arguments: {} }, allowed),
    ]),
    [masked, masked, ['allow', 'same'], ['allow', 'same'], { cause: 'arguments', needs: ['amount'] }],
  )
})

test('decisions that stand behind later ones are counted', async () => {
  const at = (timestamp: string) => opa({ tool: 'pay' }, true, { timestamp })
  const lines = [at('2026-03-02T09:00:01Z'), at('2026-03-02T09:00:00Z'), at('2026-03-02T09:00:02Z')]
  assert.equal((await eventsOf(JSON.stringify(lines))).disordered, 1)
})

test('records that an export of more than decisions lacks are counted, and what follows no other ends the replay', async () => {
  const call = {
    method: 'tools/call',
    server: 'b',
    name: 'pay',
    arguments: { amount: 1 },
    principal: {},
    session: 's',
  } as const
  const { records } = record(
    payUpTo,
    [1, 2, 3].map(() => ({ do: 'call', ends: 'success', call }) as const),
  )
  const lines = exported(records).trimEnd().split('\n')
  const without = (...places: readonly number[]) => lines.filter((_, index) => !places.includes(index + 1)).join('\n')
  const [first = 0, second = 0] = records.flatMap(({ kind, seq }) => (kind === 'decision' ? [seq] : []))
  assert.equal((await eventsOf(without())).missing, 0)
  assert.equal((await eventsOf(without(1))).missing, 0, 'what was before the first is no gap')
  assert.equal((await eventsOf(without(first))).missing, 1)
  assert.equal((await eventsOf(without(first, second))).missing, 2)
  assert.equal((await eventsOf(exported(records, ['decision']))).missing, 0, 'decisions alone')
  const changed = lines.map((line, index) => (index + 1 === first ? line.replace(/"hash":"./, '"hash":"x') : line))
  await assert.rejects(eventsOf(changed.join('\n')), {
    code: 'decisions_unreadable',
    message: new RegExp(`value ${first + 1} .* \`previous_hash\` is not the \`hash\` of record ${first}: `),
  })
})

test('what is damaged, cut off or of an unknown version is said, with its place', async () => {
  const good = JSON.stringify(opa({ tool: 'pay' }, true))
  const { records } = record(payUpTo, [])
  const [line = ''] = exported(records).split('\n')
  const packed = gzipSync(good.repeat(50))
  const bad: readonly (readonly [string | Buffer, RegExp])[] = [
    [`${good}\n{"decision_id":`, /ends in the middle of value 2: it is cut off/],
    [`[${good},${good}`, /ends before the end of its array: it is cut off/],
    [packed.subarray(0, packed.length - 9), /cannot be read: unexpected end of file/],
    [`${good}\n{"a":}`, /value 2 of .* is no JSON/],
    [`${good}\nhello`, /has after value 1 something else/],
    ['seq,decision\n1,allow\n', /does not begin with a JSON object/],
    ['[[1]]', /value 1 of .* is no JSON object/],
    ['{"hello":1}', /neither a line of `tollgate audit` nor a decision of OPA/],
    [JSON.stringify(opa({ tool: 'pay' }, 'perhaps')), /value 1 .* says neither yes nor no/],
    [JSON.stringify(opa({ tool: 'pay' }, { decision: 'perhaps' })), /value 1 .* has a `decision` that is none/],
    [JSON.stringify(opa({ tool: 'pay' }, undefined, { erased: ['/result'] })), /nobody knows what was decided/],
    [JSON.stringify(opa({ tool: 'pay' }, {}, { erased: ['/result/allow'] })), /nobody knows what was decided/],
    [JSON.stringify(opa({ tool: 'pay' }, {}, { masked: ['/result/decision'] })), /nobody knows what was decided/],
    [good.replace('2026-03-02T', '2026-13-02T'), /`timestamp` is no RFC 3339 time/],
    [`${line}\n${line}`, /`seq` is 1 and 1 came before/],
    [line.replace('policy_activation', 'policy_migration'), /`event_type` is none that this version knows/],
    [
      JSON.stringify({
        ...JSON.parse(line),
        event_type: 'tool_invocation',
        method: 'tools/call',
        name: 'x',
        path: 'p',
        result: { decision: 'allow' },
        input: { v: 2 },
      }),
      /its input is of version `2`, and this version of Tollgate reads version 1/,
    ],
  ]
  for (const [bytes, message] of bad)
    await assert.rejects(eventsOf(bytes), (error: Error) => message.test(error.message), String(message))
  assert.deepEqual((await eventsOf('')).events, [])
  assert.deepEqual((await eventsOf('[]\n')).events, [])
})

test(`values are told apart wherever the bytes are cut (seed ${seed})`, () => {
  const value = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3, noNullPrototype: true })
  fc.assert(
    fc.property(
      fc.array(value, { maxLength: 5 }),
      fc.boolean(),
      fc.integer({ min: 1, max: 7 }),
      (values, isArray, step) => {
        const text = isArray ? JSON.stringify(values, null, 1) : values.map((one) => JSON.stringify(one)).join('\n')
        const bytes = Buffer.from(text)
        const splitter = new ValueSplitter('x')
        const found: unknown[] = []
        for (let at = 0; at < bytes.length; at += step)
          for (const one of splitter.push(bytes.subarray(at, at + step))) found.push(JSON.parse(one.bytes.toString()))
        splitter.end()
        assert.deepEqual(
          found,
          values.map((one) => JSON.parse(JSON.stringify(one))),
        )
      },
    ),
    { numRuns: tries(200) },
  )
})
