/** Case files that are written from a policy, or from recorded calls: they pass, and they come to every rule. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { RE2JS } from 're2js'
import { parse } from 'yaml'
import type { Call } from '../../src/model/call.ts'
import { type LoadedSet, loadPolicySet } from '../../src/runtime/policySet.ts'
import { generatedCases } from '../../src/testing/generate/generate.ts'
import { textsMatching } from '../../src/testing/generate/pattern.ts'
import { casesOfRecorded, type Recorded } from '../../src/testing/generate/recorded.ts'
import { Stage } from '../../src/testing/stage.ts'

const folder = mkdtempSync(join(tmpdir(), 'tollgate-generate-'))
after(() => rmSync(folder, { recursive: true }))

async function loadedFrom(name: string, text: string): Promise<LoadedSet> {
  const file = join(folder, name)
  writeFileSync(file, text)
  return loadPolicySet({ files: [file] })
}

interface Written {
  readonly name: string
  readonly call?: object
  readonly calls?: readonly { readonly expect?: unknown }[]
  readonly expect?: unknown
}

const refunds = await loadedFrom(
  'refunds.yaml',
  `version: "1"
default: deny
tools:
  refund:
    rules:
      - { name: small, arguments: { amount: { type: number, min: 1, max: 100 }, "to.account": { pattern: "[A-Z]{2}\\\\d{4,6}" } } }
      - { name: often, rate_limit: 10/day, per: user }
      - { name: budget, spend: { daily: 1000 } }
      - { name: abroad, action: require_approval, arguments: { country: { enum: [fr, de] }, force: { enum: [true] } } }
  delete:
    for: { groups: admins }
    rules: [{ name: never, action: deny, on_deny: "no", for: { user: "m-*" } }]
`,
)
const choice = { policy: { files: ['refunds.yaml'] } }

test('of each rule there is a call that it decides, of each limit the calls that reach it', () => {
  const { text, count, missed } = generatedCases(refunds, choice.policy)
  // The rule before it refuses what is no number.
  assert.deepEqual(missed, ['refund: budget: argument `amount` is an amount: a number, zero or more'])
  const { cases, policy } = parse(text) as { cases: readonly Written[]; policy: string }
  assert.deepEqual([policy, cases.length], ['refunds.yaml', count])
  const said = JSON.stringify(cases)
  for (const rule of ['small', 'often', 'budget', 'abroad', 'never', 'default'])
    assert.ok(said.includes(`"rule":"${rule}"`), rule)
  const named = (name: string) => cases.find((one) => one.name === name)
  assert.deepEqual(named('refund: small: `amount` 0')?.expect, {
    ...{ decision: 'deny', reason_code: 'ARGUMENT_REJECTED', rule: 'small' },
  })
  assert.ok(named('refund: small: without `to.account`'))
  const limited = cases.find(({ name }) => name.startsWith('refund: often: at most 10 calls'))
  assert.deepEqual(
    limited?.calls?.map(({ expect }) =>
      typeof expect === 'string' ? expect : (expect as { decision: string }).decision,
    ),
    ['allow', 'deny', 'allow'],
  )
  // The limit of a user is in the way of the budget: somebody else comes to it.
  const budget = cases.find(({ name }) => name.startsWith('refund: budget: at most 1000'))
  assert.match(JSON.stringify(budget), /"user":"some-user-2".*"rule":"budget"/)
})

interface Edged extends Written {
  readonly facts?: readonly { readonly times?: number; readonly principal?: { readonly user: string } }[]
}

const decisionsIn = ({ calls = [] }: Written) =>
  calls.map(({ expect }) => (typeof expect === 'string' ? expect : (expect as { decision: string }).decision))

test('of each limit there is a case that starts at its edge: one more call, and the next is refused', () => {
  const { cases } = parse(generatedCases(refunds, choice.policy).text) as { cases: readonly Edged[] }
  const edges = cases.filter(({ facts }) => facts)
  assert.deepEqual(
    edges.map((one) => [
      one.name,
      one.facts?.map(({ times, principal }) => [times, principal?.user]),
      decisionsIn(one),
    ]),
    [
      ['refund: often: at most 10 calls this day, with room for one', [[9, undefined]], ['allow', 'deny']],
      // The limit of a user would be in the way of the budget.
      ['refund: budget: at most 1000 this day, with room for one', [[9, 'some-user']], ['allow', 'deny']],
    ],
  )
})

test('a rule that reads a counter is come to by the calls that count', async () => {
  const loaded = await loadedFrom(
    'counted.yaml',
    `version: "1"
default: deny
counters:
  sent: { window: day }
  other: { of: list, window: day }
tools:
  send:
    rules:
      - { name: cap, limits: { sent: 6 } }
      - { name: look, action: require_approval, counted: { sent: { min: 3 } }, arguments: { all: { enum: [true] } } }
      - { name: stop, action: deny, on_deny: "no more", counted: { sent: { min: 5 } } }
      - { name: first, counted: { other: { max: 2 } } }
  list:
    rules: [{ rate_limit: 9/day }]
`,
  )
  const { text, missed } = generatedCases(loaded, { files: ['counted.yaml'] })
  const { cases } = parse(text) as { cases: readonly Edged[] }
  const of = (rule: string) => cases.filter(({ name }) => name.startsWith(`send: ${rule}: `))
  assert.deepEqual(of('look').map(decisionsIn), [
    ['allow', 'hold'],
    ['allow', 'hold'],
  ])
  assert.deepEqual(
    of('look').map(({ facts = [] }) => facts.map(({ times }) => times)),
    [[], [2]],
  )
  assert.deepEqual(of('stop').map(decisionsIn), [
    ['allow', 'deny'],
    ['allow', 'deny'],
  ])
  // What another tool counts is taken by that one.
  assert.deepEqual(
    of('first').map(({ facts = [], expect }) => [
      facts,
      (expect as { rule?: string; decision: string }).rule ?? 'none',
    ]),
    [
      [[{ tool: 'list', times: 3 }], 'first'],
      [[{ tool: 'list', times: 2 }], 'none'],
    ],
  )
  // Five calls stop the sixth before the limit does.
  assert.deepEqual(
    missed.map((one) => one.split(': ')[1]),
    ['cap'],
  )
})

test('a pattern that stands beside a prefix is tried below it', async () => {
  const loaded = await loadedFrom(
    'files.yaml',
    `version: "1"
default: deny
tools:
  read:
    rules:
      - { name: inside, arguments: { path: { prefix: /work/ } } }
      - { name: secrets, action: deny, arguments: { path: { pattern: "(?i).*/\\\\.env.*" } } }
`,
  )
  const { text, missed } = generatedCases(loaded, { files: ['files.yaml'] })
  assert.deepEqual(missed, [])
  assert.match(text, /path: \/work\/\S*\/\.env.*\n.*rule: secrets/)
})

test('the same policy gives the same file', () => {
  assert.equal(generatedCases(refunds, choice.policy).text, generatedCases(refunds, choice.policy).text)
})

test('of ordered rules each decides a call, and just misses another; what is shadowed is told', async () => {
  const loaded = await loadedFrom(
    'aegis.yaml',
    `version: "1"
defaults: { approval: block }
rules:
  - { name: nights, match: { type: "deploy_*" }, conditions: { time_after: "18:00", weekdays: [1, 2] }, approval: block }
  - { name: large, match: { type: pay, target: bank, agent: "bot-[0-9]" }, conditions: { param_gt: { amount: 100 } }, approval: approve }
  - { name: pays, match: { type: "p*" }, risk_level: low, approval: auto }
  - { name: shadowed, match: { type: pay }, approval: block }
`,
  )
  const { text, missed } = generatedCases(loaded, { files: ['aegis.yaml'] })
  assert.deepEqual(missed, ['shadowed: an earlier rule, or none, decides every call that was tried'])
  const { cases } = parse(text) as { cases: readonly Written[] }
  assert.deepEqual(
    cases.map(({ name }) => name.replace(/:.*/, '')),
    [
      'nights decides',
      'nights does not decide',
      'nights does not decide',
      'large decides',
      'large does not decide',
      'pays decides',
      'a tool that no rule names',
    ],
  )
})

test('recorded calls become cases, each way of deciding once, with the calls before it where it stood on them', async () => {
  const stage = new Stage(refunds.active(), { startMs: Date.parse('2026-03-02T10:00:00Z'), listless: true })
  const recorded: Recorded[] = []
  const made = (amount: number, timeMs: number, decidedOtherwise = false) => {
    stage.advance(timeMs)
    const call: Call = {
      ...{ method: 'tools/call', server: '', name: 'refund', session: 's', principal: { agent: 'bot', user: 'ana' } },
      arguments: { amount, to: { account: 'DE1234' }, country: 'es' },
    }
    const { decision } = stage.judge(call)
    recorded.push({ call, timeMs, decided: decidedOtherwise ? { ...decision, rule: 'gone' } : decision })
  }
  const at = (hour: number) => Date.parse(`2026-03-02T${hour}:00:00Z`)
  for (let i = 0; i < 4; i++) made(50, at(10))
  for (let i = 0; i < 6; i++) made(1, at(11))
  made(1, at(12))
  made(101, at(13))
  made(500, at(14), true)
  stage.close()
  const { text, missed } = casesOfRecorded(recorded, refunds, choice.policy)
  assert.deepEqual(missed, ['refund by bot is denied: gone, ARGUMENT_REJECTED (2026-03-02T14:00:00.000Z)'])
  const { cases } = parse(text) as { cases: readonly (Written & { facts?: readonly { times?: number }[] })[] }
  assert.deepEqual(
    cases.map(({ name, facts }) => [name, facts?.map(({ times }) => times)]),
    [
      ['refund by bot is allowed', undefined],
      ['refund by bot is denied: often, RATE_LIMITED', [4, 6]],
      ['refund by bot is denied: small, ARGUMENT_REJECTED', undefined],
    ],
  )
})

test('texts that are made for a pattern match it', () => {
  for (const [pattern, whole] of [
    ['[A-Z]{2}\\d{4,6}', true],
    ['^(?:git|svn)@[a-z0-9.-]+:(\\w+/)*\\w+\\.git$', true],
    ['(?i)DROP\\s+TABLE', false],
    ['^/data/(?:[^./]+/)*[^./]+\\.(csv|json)$', true],
    ['[^a-z]+', true],
    ['a|b|', true],
    ['\\p{Greek}', false],
  ] as const) {
    const matcher = RE2JS.compile(pattern)
    const texts = textsMatching(pattern, whole)
    for (const text of texts)
      assert.ok(whole ? matcher.matches(text) : matcher.matcher(text).find(), `${pattern} ${text}`)
    assert.equal(texts.length > 0, pattern !== '\\p{Greek}', pattern)
  }
})
