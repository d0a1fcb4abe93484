/** What was decided, by which policy, and what Prometheus is told of it. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { labelValuesMax, recordsSearchedItemsMax } from '../../src/admission/limits.ts'
import type { Answer } from '../answer.ts'
import { Desk, policy } from './fixtures/desk.ts'

let desk: Desk
before(async () => {
  desk = await Desk.open()
  for (let account = 0; account < 5; account++) desk.call({ account }, { name: 'free', session: `s${account % 2}` })
  desk.call({}, { name: 'none' })
  desk.call({}, { name: 'close' })
})
after(() => desk[Symbol.asyncDispose]())

const names = ({ body }: { body: Answer }) => body.decisions.map(({ name }: Answer) => name)
const codeOf = ({ status, body }: { status: number; body: Answer }) => `${status} ${body.error?.code}`

test('decisions are listed in their order, page by page', async () => {
  const all = await desk.api('/v1/decisions')
  assert.deepEqual(names(all), ['free', 'free', 'free', 'free', 'free', 'none', 'close'])
  assert.equal(all.body.next_cursor, null)
  const paged: string[] = []
  for (let cursor = '0', pages = 0; ; pages++) {
    const page = await desk.api(`/v1/decisions?limit=3&cursor=${cursor}`)
    paged.push(...names(page))
    if (page.body.next_cursor === null) break
    assert.ok(names(page).length === 3 && pages < 5)
    cursor = page.body.next_cursor
  }
  assert.deepEqual(paged, names(all))
})

test('they are looked for by what the record says', async () => {
  const count = async (query: string) => (await desk.api(`/v1/decisions?${query}`)).body.decisions.length
  assert.deepEqual(
    [
      await count('session=s0'),
      await count('tool=free'),
      await count('decision=hold'),
      await count('reason=TOOL_NOT_ALLOWED'),
      await count('user=eve&agent=bot&server=bank'),
      await count('user=ada'),
      await count('since=2099-01-01T00:00:00Z'),
      await count('until=2001-01-01T00:00:00Z'),
      await count('since=2001-01-01T00:00:00Z&session=s1&tool=free'),
    ],
    [3, 5, 1, 1, 7, 0, 0, 0, 2],
  )
  for (const query of [
    'tools=free',
    'limit=0',
    'limit=1001',
    'limit=x',
    'cursor=-1',
    'since=yesterday',
    'tool=a&tool=b',
    'format=csv',
    '__proto__=x',
  ])
    assert.equal(codeOf(await desk.api(`/v1/decisions?${query}`)), '400 request_invalid', query)
})

test('one is shown with how it ended, and lines are one a line', async () => {
  const { body } = await desk.api('/v1/decisions?tool=free&limit=1')
  const id = body.decisions[0].decision_id
  desk.opened.gate.settle([{ decisionId: id, status: 'success' }])
  assert.equal((await desk.api(`/v1/decisions/${id}`)).body.result_status, 'success')
  assert.equal(codeOf(await desk.api('/v1/decisions/none')), '404 decision_unknown')
  const { body: lines } = await desk.api('/v1/decisions?format=jsonl&tool=free')
  assert.deepEqual(
    lines
      .trimEnd()
      .split('\n')
      .map((line: string) => JSON.parse(line).name),
    ['free', 'free', 'free', 'free', 'free'],
  )
})

test('a search ends after so many records, and says where to go on', async () => {
  await using other = await Desk.open()
  const call = {
    method: 'tools/call',
    server: 'bank',
    name: 'none',
    arguments: {},
    principal: {},
    session: '',
  } as const
  const calls = Array.from({ length: recordsSearchedItemsMax }, () => call)
  for (let from = 0; from < calls.length; from += 1_000) other.opened.gate.admit(calls.slice(from, from + 1_000))
  other.call({}, { name: 'free' })
  const first = await other.api('/v1/decisions?tool=free', { key: other.keys.reader })
  assert.deepEqual([names(first), first.body.next_cursor], [[], `${recordsSearchedItemsMax}`])
  const next = await other.api(`/v1/decisions?tool=free&cursor=${first.body.next_cursor}`, { key: other.keys.reader })
  assert.deepEqual([names(next), next.body.next_cursor], [['free'], null])
})

test('the policy that decides is named with its sources', async () => {
  const { body } = await desk.api('/v1/policy')
  assert.deepEqual(body, {
    revision: policy.revision,
    policies: [
      {
        id: 'bank',
        version: body.policies[0].version,
        revision: policy.revision,
        strategy: 'all',
        sources: ['policy.yaml'],
        wasm_sha256: policy.wasmDigest,
      },
    ],
  })
})

test('Prometheus is told what was decided, with a bounded set of labels', async () => {
  const ask = (server: string) =>
    desk.api('/v1/admission', {
      method: 'POST',
      key: desk.keys.gateway,
      body: JSON.stringify({ mode: 'check', tool: 'free', server }),
    })
  const text = async () => (await desk.api('/metrics')).body as string
  const numberOf = async (start: string) =>
    Number(
      (await text())
        .split('\n')
        .find((line) => line.startsWith(start))
        ?.split(' ')
        .at(-1),
    )
  await ask('bank')
  const counted =
    'tollgate_decisions_total{kind="check",decision="allow",reason_code="ALLOW",method="tools/call",server="bank"}'
  assert.equal(await numberOf(counted), 1)
  for (let index = 0; index <= labelValuesMax; index++) await ask(`server-${index}`)
  assert.equal(await numberOf(counted.replace('"bank"', '"other"')), 2)
  assert.equal(await numberOf(`tollgate_policy_info{revision="${policy.revision}"}`), 1)
  assert.equal(await numberOf('tollgate_approvals_pending'), 1)
  assert.equal(await numberOf('tollgate_ledger_records'), desk.opened.ledger.head().seq)
  desk.opened.gate.notActivated({ sources: ['policy.yaml'], code: 'policy_invalid', detail: 'wrong' })
  assert.equal(await numberOf('tollgate_policy_failures_total'), 1)
  desk.opened.gate.deactivate('gone')
  assert.equal(await numberOf('tollgate_policy_info{revision=""}'), 1)
  assert.deepEqual((await desk.api('/v1/policy')).body, { revision: '', policies: [] })
  assert.equal(codeOf(await desk.api('/metrics', { key: desk.keys.gateway })), '403 scope_missing')
})
