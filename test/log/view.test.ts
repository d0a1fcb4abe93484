import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { isJudged, type RecordView, viewOf } from '../../src/log/view.ts'
import type { Call } from '../../src/model/call.ts'
import { artifact, crmRead, malformed, openTestGate, pay, type TestGate } from './ledgers.ts'

function viewsAfter(acts: (gate: TestGate) => void, kept?: 'full' | 'digest' | 'none'): RecordView[] {
  const opened = openTestGate(':memory:', kept)
  opened.activate(artifact)
  acts(opened)
  const records = [...opened.ledger.records()]
  return records.map((record) =>
    viewOf(
      record,
      isJudged(record) ? records.filter((r) => r.decisionId === record.decisionId && r.seq > record.seq) : [],
    ),
  )
}

/** The second record, after the activation: that of the call. */
function viewOfCall(acts: (gate: TestGate) => void, kept?: 'full' | 'digest' | 'none'): RecordView {
  return viewsAfter(acts, kept)[1] as RecordView
}

function pick(view: RecordView, expected: object): object {
  return Object.fromEntries(Object.keys(expected).map((key) => [key, view[key]]))
}

function assertMembers(view: RecordView, expected: object): void {
  assert.deepEqual(pick(view, expected), expected)
}

const policyMembers = { policy_id: 'mcp-guard-v1', policy_version: '2026-01-16' }
const who = { policy_user: 'user-12345', policy_project_id: 'support-bot' }

test('an allowed call has the nine fields of the audit event and the table of the audit trail', () => {
  const view = viewOfCall(({ done }) => done(crmRead))
  assertMembers(view, {
    event_type: 'tool_invocation',
    tool_name: 'crm.read',
    decision: 'allow',
    reason_code: 'ALLOW',
    ...policyMembers,
    ...who,
    created_at: '2026-01-16T19:11:24.000Z',
  })
  assertMembers(view, {
    action_type: 'crm.read',
    action_target: 'crm',
    action_params: { customer: 'c-1' },
    risk_level: 'low',
    level: 'debug',
    approval: 'auto',
    matched_rule: 'crm.read',
    human_decision: null,
    result_status: 'success',
    timestamp: '2026-01-16T19:11:24.000Z',
  })
})

test('an allowed call has the fields of a decision log of OPA, and its place in the chain', () => {
  const opened = openTestGate(':memory:')
  opened.activate(artifact)
  const decision = opened.done(crmRead)
  const record = [...opened.ledger.records()][1]
  assert.ok(record)
  const view = viewOf(record)
  assertMembers(view, {
    decision_id: decision.decision_id,
    bundles: { 'mcp-guard-v1': { revision: artifact.revision } },
    path: 'tollgate/decision',
    result: decision,
    req_id: 2,
    seq: 2,
    session_id: 's-1',
    method: 'tools/call',
    server: 'crm',
    name: 'crm.read',
    hash: record.hash,
    previous_hash: record.previousHash,
  })
  assert.deepEqual(Object.keys(view['labels'] as object), ['id', 'version'])
  assert.deepEqual(Object.keys(view['metrics'] as object), ['timer_rego_query_eval_ns'])
  assert.equal((view['input'] as { tool: string }).tool, 'crm.read')
})

test('a denied call was blocked by the rule that is named', () => {
  assertMembers(
    viewOfCall(({ admit }) => admit(pay(1_000))),
    {
      event_type: 'tool_invocation',
      tool_name: 'pay',
      decision: 'deny',
      reason_code: 'SPEND_PER_CALL_EXCEEDED',
      ...policyMembers,
      ...who,
      created_at: '2026-01-16T19:11:24.000Z',
      action_type: 'pay',
      action_target: 'bank',
      action_params: { amount: 1_000 },
      risk_level: 'medium',
      level: 'info',
      approval: 'block',
      matched_rule: 'cap',
      human_decision: null,
      result_status: 'blocked',
      result_at: '2026-01-16T19:11:24.000Z',
    },
  )
})

const held: Call = { ...crmRead, server: 'bank', name: 'close_account' }

test('a held call is pending until a person has answered', () => {
  assertMembers(
    viewOfCall(({ admit }) => admit(held)),
    {
      event_type: 'tool_invocation',
      tool_name: 'close_account',
      decision: 'hold',
      reason_code: 'APPROVAL_REQUIRED',
      ...policyMembers,
      ...who,
      action_type: 'close_account',
      action_target: 'bank',
      risk_level: 'critical',
      level: 'error',
      approval: 'approve',
      matched_rule: 'ask',
      human_decision: null,
      result_status: 'pending',
      result_at: null,
    },
  )
})

function answered(kind: 'grant' | 'reject' | 'expiry', outcome?: 'success'): RecordView {
  return viewOfCall(({ admit, ledger }) => {
    const { decision_id: decisionId } = admit(held)
    ledger.transact((tx) => tx.append({ kind, decisionId, body: '{}' }))
    if (outcome)
      ledger.transact((tx) => tx.append({ kind: 'outcome', decisionId, body: JSON.stringify({ status: outcome }) }))
  })
}

test('a held call that a person approved ends as its outcome says', () => {
  assertMembers(answered('grant'), { human_decision: 'approved', result_status: 'pending' })
  assertMembers(answered('grant', 'success'), { human_decision: 'approved', result_status: 'success' })
})

test('a held call that a person refused, or nobody answered, was denied', () => {
  assertMembers(answered('reject'), { human_decision: 'denied', result_status: 'denied' })
  assertMembers(answered('expiry'), { human_decision: null, result_status: 'denied' })
})

test('a call that failed says how, and when that was known', () => {
  assertMembers(
    viewOfCall(({ done }) => done(pay(10), 'error', 'declined')),
    {
      decision: 'allow',
      approval: 'auto',
      result_status: 'error',
      result_detail: 'declined',
      result_at: '2026-01-16T19:11:25.000Z',
    },
  )
})

test('a call whose end nobody saw is unknown, one that has not ended is pending', () => {
  assertMembers(
    viewOfCall(({ done }) => done(pay(10), 'unknown')),
    { result_status: 'unknown' },
  )
  assertMembers(
    viewOfCall(({ admit }) => admit(pay(10))),
    { result_status: 'pending' },
  )
})

test('a refused message has every field, and null where nothing is known', () => {
  const view = viewOfCall(({ refuse }) => refuse(malformed))
  assertMembers(view, {
    event_type: 'tool_invocation',
    tool_name: 'pay',
    decision: 'deny',
    reason_code: 'MALFORMED_CALL',
    ...policyMembers,
    policy_user: 'user-12345',
    policy_project_id: null,
    created_at: '2026-01-16T19:11:24.000Z',
    action_type: 'pay',
    action_target: 'bank',
    action_params: null,
    risk_level: null,
    level: null,
    approval: 'block',
    matched_rule: 'gate',
    human_decision: null,
    result_status: 'blocked',
    timestamp: '2026-01-16T19:11:24.000Z',
  })
  const unread = viewOfCall(({ refuse }) =>
    refuse({ reason: 'MALFORMED_CALL', message: 'not JSON', server: 'bank', principal: {}, session: 's-1' }),
  )
  assertMembers(unread, { event_type: 'message_refusal', tool_name: null, action_type: null, name: null })
})

test('reading a resource and getting a prompt are no tool calls', () => {
  assertMembers(
    viewOfCall(({ done }) => done({ ...crmRead, method: 'resources/read', name: 'crm://1', arguments: {} })),
    {
      event_type: 'resource_read',
      tool_name: null,
      action_type: 'resources/read',
      action_params: { uri: 'crm://1' },
      name: 'crm://1',
      decision: 'allow',
    },
  )
  assertMembers(
    viewOfCall(({ done }) => done({ ...crmRead, method: 'prompts/get', name: 'greeting', arguments: { to: 'Ada' } })),
    {
      event_type: 'prompt_get',
      tool_name: null,
      action_type: 'prompts/get',
      action_params: { name: 'greeting', arguments: { to: 'Ada' } },
      decision: 'allow',
    },
  )
})

test('a check is no invocation and has no result', () => {
  assertMembers(
    viewOfCall(({ check }) => check(crmRead)),
    { event_type: 'policy_check', decision: 'allow', tool_name: 'crm.read', result_status: null, result_at: null },
  )
})

test('arguments that were not kept are null, with their digest where there is one', () => {
  const digested = viewOfCall(({ done }) => done(crmRead), 'digest')
  assert.equal(digested['action_params'], null)
  assert.match(String(digested['arguments_sha256']), /^[0-9a-f]{64}$/)
  assertMembers(
    viewOfCall(({ done }) => done(crmRead), 'none'),
    { action_params: null, arguments_sha256: undefined },
  )
})

test('what is no decision says what it says, under a type of its own', () => {
  const [activation, , outcome] = viewsAfter(({ done }) => done(pay(10), 'error', 'declined'))
  assertMembers(activation as RecordView, {
    event_type: 'policy_activation',
    ...policyMembers,
    sources: ['guard.yaml'],
    wasm_sha256: artifact.wasmDigest,
    decision_id: null,
  })
  assertMembers(outcome as RecordView, { event_type: 'call_outcome', status: 'error', detail: 'declined' })
  const [, start, kill] = viewsAfter(({ ledger }) =>
    ledger.transact((tx) => {
      tx.append({ kind: 'start', body: '{"server":"bank"}' })
      tx.append({ kind: 'kill', body: '{}' })
    }),
  )
  assertMembers(start as RecordView, { event_type: 'gate_start', server: 'bank' })
  assertMembers(kill as RecordView, { event_type: 'kill' })
})

test('members that a later version records are passed on', () => {
  const opened = openTestGate(':memory:')
  const record = opened.ledger.transact((tx) =>
    tx.append({ kind: 'decision', decisionId: 'd-1', body: '{"erased":["/input/arguments/card"],"trace_id":"t"}' }),
  )
  assertMembers(viewOf(record), { erased: ['/input/arguments/card'], trace_id: 't', decision: null })
})

test('a record that cannot be read is an error with its number', () => {
  const opened = openTestGate(':memory:')
  const record = opened.ledger.transact((tx) => tx.append({ kind: 'start', body: 'no JSON' }))
  assert.throws(() => viewOf(record), { code: 'record_unreadable', message: 'the body of record 1 is no JSON object' })
})

test('every member of a view is explained in the documentation', () => {
  const page = readFileSync(new URL('../../docs/record.md', import.meta.url), 'utf8')
  const views = viewsAfter(({ done, admit, check, refuse }) => {
    done(pay(10), 'error', 'declined')
    done({ ...crmRead, method: 'resources/read', name: 'crm://1' })
    admit(held)
    check(crmRead)
    refuse(malformed)
  }, 'digest')
  const members = new Set(views.flatMap((view) => Object.keys(view)))
  assert.deepEqual(
    [...members].filter((member) => !page.includes(`\`${member}\``)),
    [],
  )
})
