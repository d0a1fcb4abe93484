/** Answers that a program and Slack bring: signed, fresh, once; and who is told of requests, at least once. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import { outboxes } from '../../src/admission/notify.ts'
import { waitAfter } from '../../src/admission/outbox.ts'
import type { Notify } from '../../src/admission/ports.ts'
import { slackSignature, verifyWebhook, webhookKey, webhookSignature } from '../../src/admission/signatures.ts'
import { toldKinds } from '../../src/admission/webhook.ts'
import { readLedger } from '../../src/cli/auditLedger.ts'
import { proveRecords } from '../../src/cli/auditProof.ts'
import { Approvals } from '../../src/pep/approvals.ts'
import type { Answer } from '../answer.ts'
import { ScriptedServer } from '../http/fixtures/gate.ts'
import { until } from '../until.ts'
import { Desk } from './fixtures/desk.ts'

const key = webhookKey(`whsec_${randomBytes(32).toString('base64')}`)
const signingSecret = randomBytes(16).toString('hex')
let desk: Desk
/** What others hear: each answers as it is told to. */
let others: ScriptedServer
let statuses: number[] = []
let notify: Required<Notify>

before(async () => {
  others = await ScriptedServer.start((_, response) => {
    response.statusCode = statuses.shift() ?? 200
    response.end()
  })
  const url = (path: string) => new URL(path, others.url)
  notify = {
    webhook: { url: url('/hook'), key },
    slack: {
      url: url('/slack'),
      signingSecret,
      users: new Map([
        ['U1', 'ada'],
        ['U2', 'eve'],
      ]),
      responseOrigin: url('/').origin,
    },
  }
  desk = await Desk.open(notify)
})
after(async () => {
  await desk[Symbol.asyncDispose]()
  await others[Symbol.asyncDispose]()
})

/** Until the ledger says so: whoever stops before that is told the last message again. */
function allHeard(name: string): Promise<void> {
  const { ledger } = desk.opened
  return until(
    () => ledger.recordsOfKinds(toldKinds, ledger.cursor(name) ?? 0, 1).length === 0,
    'the answers to what was told',
  )
}

const seconds = (ms = Date.now()) => String(Math.floor(ms / 1_000))
let messages = 0

async function callback(said: object | string, change: Record<string, string> = {}): Promise<string> {
  const body = typeof said === 'string' ? said : JSON.stringify(said)
  const id = change['webhook-id'] ?? `msg_${++messages}`
  const timestamp = change['webhook-timestamp'] ?? seconds()
  const signature = webhookSignature(key, { id, timestamp, body })
  const headers = { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature, ...change }
  const response = await fetch(`${desk.url}/v1/callbacks/webhook`, { method: 'POST', body, headers })
  const answer = (await response.json()) as Answer
  return `${response.status} ${answer.error?.code ?? answer.state}`
}

async function press(action: object | string, change: Record<string, string> = {}): Promise<number> {
  const payload = typeof action === 'string' ? action : JSON.stringify(action)
  const body = new URLSearchParams({ payload }).toString()
  const timestamp = change['x-slack-request-timestamp'] ?? seconds()
  const signature = slackSignature(signingSecret, { timestamp, body })
  const headers = {
    'content-type': 'application/x-www-form-urlencoded',
    'x-slack-request-timestamp': timestamp,
    'x-slack-signature': signature,
    ...change,
  }
  return (await fetch(`${desk.url}/v1/callbacks/slack`, { method: 'POST', body, headers })).status
}

const pressed = (user: string, action_id: string, value: string, more: object = {}) => ({
  type: 'block_actions',
  user: { id: user },
  actions: [{ action_id, value, type: 'button' }],
  response_url: new URL('/response', others.url).href,
  ...more,
})
const heard = (path: string) => others.requests.filter((request) => request.path === path)
const stateOf = async (id: string) => (await desk.api(`/v1/approvals/${id}`)).body.state

test('signatures are those of Standard Webhooks and of Slack', () => {
  const known = webhookKey('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw')
  const envelope = { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', timestamp: '1614265330', body: '{"test": 2432232314}' }
  assert.equal(webhookSignature(known, envelope), 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=')
  const body =
    'token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c'
  assert.equal(
    slackSignature('8f742231b10e8888abcd99yyyzzz85a5', { timestamp: '1531420618', body }),
    'v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503',
  )
  for (const secret of ['whsec_', 'whsec_c2hvcnQ=', 'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'])
    assert.throws(() => webhookKey(secret))
  assert.deepEqual([1, 2, 3, 30].map(waitAfter), [1_000, 2_000, 4_000, 600_000])
})

test('a signed callback answers for the person that it names, once', async () => {
  const id = desk.held({ account: 1 })
  const said = { id, says: 'approve', approver: 'carol', reason: 'seen in the ticket' }
  const message = { 'webhook-id': 'msg_once' }
  assert.equal(await callback(said, message), '200 approved')
  const [answer] = (await desk.api(`/v1/approvals/${id}`)).body.answers
  assert.deepEqual(
    [answer.approver, answer.approver_known_by, answer.reason],
    ['carol', 'webhook', 'seen in the ticket'],
  )
  assert.equal(await callback(said, message), '409 callback_replayed')
  assert.equal(await callback(said), '409 approval_settled')
  assert.equal(desk.call({ account: 1 }).decision, 'allow')
  assert.equal(await callback(said), '409 approval_settled', 'consumed')
  assert.equal(await callback({ ...said, id: 'apr_none' }), '404 approval_unknown')
  const pair = desk.held({}, { name: 'pair' })
  assert.equal(await callback({ ...said, id: pair, approver: 'eve' }), '403 approval_by_requester')
  assert.equal(await callback({ ...said, id: pair }), '200 pending')
  assert.equal(await callback({ ...said, id: pair, approver: 'CAROL' }), '409 approval_given')
})

test('a callback that is not signed, not of now, or odd, changes nothing', async () => {
  const id = desk.held({ account: 2 })
  const said = { id, says: 'approve', approver: 'carol' }
  const other = webhookSignature(randomBytes(32), { id: 'x', timestamp: seconds(), body: JSON.stringify(said) })
  const wrong: Record<string, string>[] = [
    { 'webhook-signature': '' },
    { 'webhook-signature': 'v1,' },
    { 'webhook-signature': other },
    { 'webhook-timestamp': seconds(Date.now() - 301_000) },
    { 'webhook-timestamp': seconds(Date.now() + 302_000) },
    { 'webhook-timestamp': 'now' },
    { 'webhook-id': 'x'.repeat(300) },
  ]
  for (const headers of wrong)
    assert.equal(await callback(said, headers), '401 callback_unsigned', JSON.stringify(headers))
  const response = await fetch(`${desk.url}/v1/callbacks/webhook`, { method: 'POST', body: JSON.stringify(said) })
  assert.equal(response.status, 401)
  // Signed for another time than it says, and with another body than it has.
  const timestamp = seconds()
  const signature = webhookSignature(key, {
    id: 'm',
    timestamp: seconds(Date.now() - 60_000),
    body: JSON.stringify(said),
  })
  const moved = { 'webhook-id': 'm', 'webhook-timestamp': timestamp, 'webhook-signature': signature }
  assert.equal(await callback(said, moved), '401 callback_unsigned')
  // One that another process heard before this one began.
  assert.equal(await callback(said, { 'webhook-timestamp': seconds(Date.now() - 120_000) }), '409 callback_replayed')
  for (const odd of [
    '',
    '[]',
    '{',
    { ...said, says: 'maybe' },
    { ...said, more: 1 },
    { id, says: 'approve' },
    { ...said, reason: 1 },
  ])
    assert.equal(await callback(odd), '400 request_invalid')
  assert.equal(await callback({ ...said, approver: '\u202eada' }), '400 approver_invalid')
  assert.equal(await stateOf(id), 'pending')
  const headers = {
    'webhook-id': 'm',
    'webhook-timestamp': timestamp,
    'webhook-signature': `v1,x ${webhookSignature(key, { id: 'm', timestamp, body: 'b' })}`,
  }
  assert.equal(verifyWebhook(key, headers, Buffer.from('b'), Date.now()), 'm', 'one of several signatures is enough')
})

test('a press in Slack answers for the approver that the user stands for', async () => {
  const id = desk.held({ account: 3 })
  assert.equal(await press(pressed('U9', 'tollgate_approve', id)), 200)
  assert.equal(await stateOf(id), 'pending', 'a stranger')
  await until(() => heard('/response').length === 1, 'the answer to the stranger')
  assert.match(heard('/response')[0]?.body ?? '', /"response_type":"ephemeral".*You are no approver/)
  const payload = pressed('U1', 'tollgate_approve', id)
  assert.equal(await press(payload), 200)
  const [answer] = (await desk.api(`/v1/approvals/${id}`)).body.answers
  assert.deepEqual([answer.approver, answer.approver_known_by], ['ada', 'slack'])
  await until(() => heard('/response').length === 2, 'the answer to all')
  assert.match(heard('/response')[1]?.body ?? '', /"replace_original":true.*ada approved close \(apr_/)
  const pair = desk.held({ n: 1 }, { name: 'pair' })
  await press(pressed('U2', 'tollgate_approve', pair))
  await until(() => heard('/response').length === 3, 'the answer to the requester')
  assert.match(heard('/response')[2]?.body ?? '', /ephemeral.*asked for/)
  await press(pressed('U1', 'tollgate_reject', pair))
  assert.equal(await stateOf(pair), 'rejected')
})

test('a press that is not signed by Slack, is replayed or odd, changes nothing, and nothing is posted elsewhere', async () => {
  const id = desk.held({ account: 4 })
  const payload = pressed('U1', 'tollgate_approve', id)
  for (const headers of [
    { 'x-slack-signature': 'v0=00' },
    { 'x-slack-request-timestamp': seconds(Date.now() - 301_000) },
    { 'x-slack-request-timestamp': '1e9' },
  ] as Record<string, string>[])
    assert.equal(await press(payload, headers), 401)
  for (const odd of ['', '{}', '[]', { ...payload, type: 'view_submission' }, { ...payload, user: {} }])
    assert.equal(await press(odd), 400)
  for (const nothing of [
    { ...payload, actions: [{ action_id: 'other', value: id }] },
    { ...payload, actions: [] },
    { ...payload, actions: [{ action_id: 'tollgate_page' }] },
  ])
    assert.equal(await press(nothing), 200)
  assert.equal(await stateOf(id), 'pending')
  const elsewhere = await ScriptedServer.start((_, response) => void response.end())
  const [once, timestamp] = [{ ...payload, response_url: elsewhere.url.href }, seconds()]
  assert.equal(await press(once, { 'x-slack-request-timestamp': timestamp }), 200)
  assert.equal(await stateOf(id), 'approved')
  assert.equal(await press(once, { 'x-slack-request-timestamp': timestamp }), 409)
  assert.equal(elsewhere.requests.length, 0)
  await elsewhere[Symbol.asyncDispose]()
})

test('who is told hears every step in order, again when it was not heard, and goes on after a restart', async () => {
  const { ledger } = desk.opened
  const log: string[] = []
  const page = (id: string) => `https://approvals.example/approvals/${id}`
  const told = () =>
    outboxes({ webhook: notify.webhook }, { ledger, log: (sentence) => log.push(sentence), waitMs: () => 10, page })
  const types = () => heard('/hook').map(({ body }) => JSON.parse(body).type.replace('approval.', ''))
  const [first] = told()
  first?.start()
  statuses = [500, 302]
  const id = desk.held({ account: '<5>' })
  await until(() => types().length === 3, 'the third try')
  await allHeard('webhook')
  const [one, two, three] = heard('/hook')
  assert.deepEqual(types(), ['requested', 'requested', 'requested'])
  assert.ok(
    one?.headers['webhook-id'] === three?.headers['webhook-id'] && one?.body === two?.body,
    'one message, three times',
  )
  verifyWebhook(key, three?.headers ?? {}, Buffer.from(three?.body ?? ''), Date.now())
  const { data } = JSON.parse(three?.body ?? '')
  assert.deepEqual([data.id, data.state, data.arguments, data.page], [id, 'pending', { account: '<5>' }, page(id)])
  assert.match(log.join(), /record \d+ was not heard, and is told again: it answered with HTTP 500/)
  await first?.stop()
  await desk.api(`/v1/approvals/${id}/approve`, { method: 'POST' })
  desk.call({ account: '<5>' })
  const [second] = told()
  second?.start()
  await until(() => types().length === 5, 'the rest')
  await allHeard('webhook')
  await second?.stop()
  assert.deepEqual(types().slice(3), ['granted', 'consumed'])
  const [third] = told()
  third?.start()
  desk.held({ account: 6 })
  await until(() => types().length === 6, 'what is new')
  await allHeard('webhook')
  await third?.stop()
  assert.deepEqual(types().slice(5), ['requested'], 'nothing that was heard is told again')
  const [fourth] = told()
  fourth?.start()
  desk.aheadMs = 11 * 60_000
  new Approvals(desk.opened).expire()
  desk.aheadMs = 0
  await until(() => types().includes('expired'), 'the expiry')
  await fourth?.stop()
})

test('Slack gets the call as plain text with two buttons, and no way to approve what it does not show', async () => {
  const { ledger } = desk.opened
  const [slack] = outboxes({ slack: notify.slack }, { ledger, log: () => undefined, waitMs: () => 10 })
  slack?.start()
  const id = desk.held({ to: '<!channel> *bold* \u202e' })
  const long = desk.held({ to: 'x'.repeat(4_000) })
  const principal = { user: 'eve', agent: '\u202e'.repeat(500) }
  const odd = desk.held({ to: 'acc-1' }, { principal })
  await until(() => heard('/slack').length === 3, 'all messages')
  await slack?.stop()
  const [whole, cut, hidden] = heard('/slack').map(({ body }) => JSON.parse(body))
  const texts = whole.blocks.flatMap((block: Answer) => (block.text ? [block.text] : []))
  assert.ok(texts.every((text: Answer) => text.type === 'plain_text' && text.text.length <= 3_000))
  assert.match(texts[2].text, /"to": "<!channel> \*bold\* \\u202e"/)
  assert.match(whole.text, new RegExp(`^A call waits for approval: ${id}$`))
  const actionsOf = (message: Answer) =>
    message.blocks.at(-1).elements.map((one: Answer) => `${one.action_id} ${one.value}`)
  assert.deepEqual(actionsOf(whole), [`tollgate_approve ${id}`, `tollgate_reject ${id}`])
  assert.deepEqual(actionsOf(cut), [`tollgate_reject ${long}`])
  assert.deepEqual(actionsOf(hidden), [`tollgate_reject ${odd}`], 'its rule and its caller are cut off')
})

test('all of that is proved from the record', () => {
  assert.deepEqual(readLedger(desk.ledgerFile, (source) => proveRecords(source)).findings, [])
})
