/** What is converted means the same: random policies of each language, read back and asked the same calls over days. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allOut } from '../../src/convert/all.ts'
import { toNative } from '../../src/convert/convert.ts'
import { Origins } from '../../src/convert/origins.ts'
import { print } from '../../src/convert/yaml.ts'
import type { Call } from '../../src/model/call.ts'
import type { AllPolicy, Policy } from '../../src/model/policy.ts'
import { Report } from '../../src/policy/diagnostics.ts'
import { parsePolicy } from '../../src/policy/parse.ts'
import { readSource } from '../../src/policy/source.ts'
import { actions, files } from '../aegis/arbitrary.ts'
import { calls as interceptCalls, policies as interceptPolicies } from '../intercept/arbitrary.ts'
import { fc, seed, tries } from '../random.ts'
import { calls, documents, pauses } from './arbitrary.ts'
import { activeByReference, decisionsOf, meaning, parsed, type TimedCall } from './meaning.ts'

const runs = Number(process.env['TOLLGATE_CONVERT_POLICIES'] ?? tries(200))
const callsPerPolicy = 60

function timed(of: fc.Arbitrary<Call>): readonly TimedCall[] {
  return fc.sample(fc.record({ call: of, after: pauses }), { numRuns: callsPerPolicy * 5, seed })
}

/** Both decide the same, call by call; what was decided is counted by reason code. */
function agree(original: Policy, converted: Policy, asked: readonly TimedCall[], tally: Map<string, number>): void {
  const decided = decisionsOf(activeByReference(original), asked)
  assert.deepEqual(decisionsOf(activeByReference(converted), asked), decided)
  for (const { reason_code: code = '' } of decided) tally.set(code, (tally.get(code) ?? 0) + 1)
}

function slice(all: readonly TimedCall[], round: number): readonly TimedCall[] {
  return Array.from({ length: callsPerPolicy }, (_, index) => all[(round * 7 + index) % all.length] as TimedCall)
}

/** Too few policies need not reach all: `least` is how many do. */
function reaches(tally: Map<string, number>, codes: readonly string[], least = 50): void {
  if (runs < least) return
  for (const code of codes) assert.ok((tally.get(code) ?? 0) > 0, `no random call was answered ${code}`)
}

/** A policy of the model, written as if it had come from another language. */
function rewritten(policy: AllPolicy): string {
  const report = new Report('random.yaml')
  const nothing = readSource('{}', report)
  assert.ok(nothing)
  return print(allOut(policy, new Origins(nothing, report))).text
}

test(`what is written of ${runs} random policies is read as the same policy (seed ${seed})`, (t) => {
  const asked = timed(calls)
  const tally = new Map<string, number>()
  let [read, round] = [0, 0]
  for (const document of fc.sample(documents, { numRuns: runs * 4, seed })) {
    const { policy } = parsePolicy({ file: 'random.json', text: JSON.stringify(document) })
    round++
    if (policy?.strategy !== 'all') continue
    if (++read > runs) break
    const text = rewritten(policy)
    const story = `seed ${seed}, document ${JSON.stringify(document)}\n${text}`
    const again = parsed('random.yaml', text)
    assert.deepEqual(meaning(again), meaning(policy), story)
    agree(policy, again, slice(asked, round), tally)
  }
  t.diagnostic(`${read} of ${round} documents are policies; ${JSON.stringify(Object.fromEntries(tally))}`)
  assert.ok(read >= runs / 4, `only ${read} of ${round} random documents are policies`)
  reaches(
    tally,
    [
      'ALLOW',
      'ARGUMENT_REJECTED',
      'COUNTER_REJECTED',
      'RATE_LIMITED',
      'SPEND_LIMIT_EXCEEDED',
      'AMOUNT_INVALID',
      'TOOL_HIDDEN',
      'APPROVAL_REQUIRED',
      'DENIED_BY_RULE',
    ],
    1_000,
  )
})

test(`${runs} random policies of Intercept decide alike in the native language (seed ${seed})`, (t) => {
  const tally = new Map<string, number>()
  const asked = timed(
    interceptCalls.map(({ tool, arguments: args }) => ({
      method: 'tools/call',
      server: 's',
      name: tool,
      arguments: args,
      principal: {},
      session: '',
    })),
  )
  for (const [round, policy] of fc.sample(interceptPolicies, { numRuns: runs, seed }).entries()) {
    const source = JSON.stringify(policy)
    const { text, diagnostics } = toNative('random.json', source)
    assert.ok(text, `${source}\n${JSON.stringify(diagnostics)}`)
    const [original, converted] = [parsed('random.json', source), parsed('another.yaml', text)]
    assert.deepEqual(meaning(converted), meaning(original), source)
    assert.equal(converted.language, 'native')
    agree(original, converted, slice(asked, round), tally)
  }
  t.diagnostic(JSON.stringify(Object.fromEntries(tally)))
  reaches(tally, [
    'ALLOW',
    'ARGUMENT_REJECTED',
    'COUNTER_REJECTED',
    'RATE_LIMITED',
    'SPEND_LIMIT_EXCEEDED',
    'TOOL_HIDDEN',
    'TOOL_NOT_ALLOWED',
  ])
})

test(`${runs} random files of Aegis decide alike in the native language (seed ${seed})`, (t) => {
  const tally = new Map<string, number>()
  const asked = timed(
    actions.map(({ tool, server, agent, arguments: args }) => ({
      method: 'tools/call',
      server,
      name: tool,
      arguments: args,
      principal: agent === '' ? {} : { agent },
      session: '',
    })),
  )
  const found = fc.sample(files, { numRuns: runs * 2, seed }).filter((file) => {
    const { policy } = parsePolicy({ file: 'random.json', text: JSON.stringify(file) })
    return policy !== undefined
  })
  for (const [round, file] of found.slice(0, runs).entries()) {
    const source = JSON.stringify(file)
    const { text, diagnostics } = toNative('random.json', source)
    assert.ok(text, `${source}\n${JSON.stringify(diagnostics)}`)
    const [original, converted] = [parsed('random.json', source), parsed('another.yaml', text)]
    assert.deepEqual(meaning(converted), meaning(original), source)
    assert.equal(converted.language, 'native')
    agree(original, converted, slice(asked, round), tally)
  }
  t.diagnostic(`${found.length} files; ${JSON.stringify(Object.fromEntries(tally))}`)
  reaches(tally, ['ALLOW', 'DENIED_BY_RULE', 'APPROVAL_REQUIRED', 'TOOL_NOT_ALLOWED', 'ARGUMENT_UNCOMPARABLE'])
})

test('allowlists of the guard decide alike in the native language', () => {
  const name = fc.constantFrom('pay', 'a/b', 'p?y', 'null', '5', 'ü', 'yes', '#x', 'a: b')
  const word = fc.constantFrom('OK', 'no', '1', 'a # b')
  const guards = fc.record(
    {
      policy_id: word,
      policy_version: fc.constantFrom<string | number>('1.10', 1.1, 7, 'v1'),
      allowlist: fc.uniqueArray(name, { maxLength: 5 }),
      reason_codes: fc.record({ allow: word, block: fc.constant('BLOCK') }, { requiredKeys: [] }),
    },
    { requiredKeys: ['policy_id', 'policy_version', 'allowlist'] },
  )
  const asked = ['pay', 'a/b', 'p?y', 'pxy', 'b', 'null', '5', 'no', '#x'].map(
    (tool): TimedCall => ({
      call: { method: 'tools/call', server: 'a', name: tool, arguments: {}, principal: {}, session: '' },
      after: 0,
    }),
  )
  for (const guard of fc.sample(guards, { numRuns: runs, seed })) {
    const source = JSON.stringify(guard)
    const { text } = toNative('guard.json', source)
    assert.ok(text, source)
    const [original, converted] = [parsed('guard.json', source), parsed('another.yaml', text)]
    assert.deepEqual(meaning(converted), meaning(original), source)
    agree(original, converted, asked, new Map())
  }
})
