/** Small changes of a policy: which there are, in words and with their places, and which of them cases notice. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { Call } from '../../src/model/call.ts'
import { baselineOf } from '../../src/testing/mutation/baseline.ts'
import { mutantsOf } from '../../src/testing/mutation/mutants.ts'
import { mutationOf, tryMutants } from '../../src/testing/mutation/run.ts'
import { trialOf } from '../../src/testing/mutation/trials.ts'
import { referenceOf } from '../../src/testing/reference.ts'
import type { Case, Step } from '../../src/testing/suite.ts'
import { type Written, writtenOf } from '../../src/testing/written.ts'

const pack = new URL('../pack/fixtures/mcp-gateway-policy.json', import.meta.url)
const written = (text: string, file = 'p.yaml') => writtenOf([{ file, text }])
const changes = (text: string) => mutantsOf(written(text)).mutants.map(({ place, change }) => `${place.line} ${change}`)
const ofRules = (...rules: readonly string[]) =>
  changes(
    `version: "1"\ndefault: deny\ntools:\n  pay:\n    rules:\n${rules.map((rule) => `      - ${rule}\n`).join('')}`,
  )
/** What `default: deny`, the one entry and the whole rule become is the same each time. */
const own = (rule: string) => ofRules(rule).filter((change) => !/^(2|4) |no rule `/.test(change))

test('bounds are shifted by one unit in their last place, and contraries are taken of one bound', () => {
  assert.deepEqual(own('arguments: { n: { max: 19.99 } }'), [
    '6 argument `n` is a number of at most 19.99; now: argument `n` is a number above 19.99',
    '6 argument `n` is a number of at most 19.99; now: argument `n` is a number of at most 19.98',
    '6 argument `n` is a number of at most 19.99; now: argument `n` is a number of at most 20',
    '6 argument `n` may be missing',
  ])
  assert.deepEqual(own('{ action: deny, arguments: { n: { min: 5, max: 9, required: false } } }'), [
    '6 `pay.rules[0]`: denied; now: held',
    '6 not asked: argument `n` is a number of at least 5 and of at most 9, or is not there',
    ...[
      'at least 4 and of at most 9',
      'at least 6 and of at most 9',
      'at least 5 and of at most 8',
      'at least 5 and of at most 10',
    ].map(
      (now) =>
        `6 argument \`n\` is a number of at least 5 and of at most 9, or is not there; now: argument \`n\` is a number of ${now}, or is not there`,
    ),
    '6 argument `n` must not be missing',
  ])
})

test('a limit is dropped, doubled and shifted, and its window and what it is counted by are changed', () => {
  assert.deepEqual(own('{ rate_limit: 3/day, per: [agent] }'), [
    '6 at most 3 calls a day; now: 2',
    '6 at most 3 calls a day; now: 4',
    '6 at most 3 calls a day; now: 6',
    '6 at most 3 calls a day; now: an hour',
    '6 at most 3 calls a day; now: a week',
    '6 at most 3 calls a day; now all of them together, not by agent',
  ])
  const spend = own('spend: { per_call: 5, monthly: 20.5, currency: cur, currencies: [EUR, USD] }')
  for (const change of [
    '6 `EUR` is no allowed currency',
    '6 no cap: at most 5 a call',
    '6 at most 5 a call; now: 6',
    '6 no limit: at most 20.5 a month',
    '6 at most 20.5 a month; now: 20.4',
    '6 at most 20.5 a month; now: 41',
    '6 at most 20.5 a month; now: a week',
    '6 at most 20.5 a month; now: in total',
  ])
    assert.ok(spend.includes(change), change)
})

test('what another condition asks as well is not dropped, and the one condition of a rule is dropped with it', () => {
  const dropped = (rule: string) => own(rule).filter((change) => change.includes('not asked'))
  assert.deepEqual(dropped('arguments: { n: { required: true, type: number, max: 5 } }'), [
    '6 not asked: argument `n` is a number of at most 5',
  ])
  // What is missing is no proof that a rule does not apply: there each condition counts.
  assert.equal(dropped('{ action: deny, arguments: { n: { required: true, type: number, max: 5 } } }').length, 3)
  assert.deepEqual(dropped('arguments: { n: { max: 5 } }'), [])
})

test('whom something is for, which names it matches and what becomes of the rest are changed', () => {
  const found = changes(`version: "1"
default: allow
tools:
  fs/get_*: { for: { agent: [a, b] }, rules: [{ for: { groups: admin }, action: deny }] }
`)
  assert.deepEqual(found, [
    '2 default: allow; now: deny',
    '4 for agent="a"|"b"; now: for everybody',
    '4 not for agent="a"',
    '4 not for agent="b"',
    '4 for `get_*` of server `fs`; now: for `*` of server `fs`',
    '4 for `get_*` of server `fs`; now: for `get_*`',
    '4 no rule `fs/get_*.rules[0]`',
    '4 `fs/get_*.rules[0]`: denied; now: held',
    '4 for groups="admin"; now: for everybody',
  ])
})

test('texts lose what holds them: an end, an anchor, a value', () => {
  const found = own(
    'arguments: { a: { prefix: /tmp/ }, b: { pattern: x+ }, c: { one_of: [1, 2] }, d: { each: { enum: [p, q] } } }',
  )
  for (const change of [
    '6 argument `a` begins with "/tmp/"; now: argument `a` begins with "/tmp"',
    '6 argument `b` matches `x+` as a whole; now: argument `b` has a match of `x+`',
    '6 argument `c` is one of 1, 2; now: argument `c` is none of 1, 2',
    '6 argument `c` is one of 1, 2; now: argument `c` is one of 2',
    '6 it is one of "p", "q"; now: it is one of "p"',
    '6 argument `d` has only elements of which this holds: it is one of "p", "q"; now: argument `d` has an element of which this holds: it is one of "p", "q"',
  ])
    assert.ok(found.includes(change), change)
  assert.ok(!own('arguments: { b: { pattern: ".*x.*" } }').some((change) => change.includes('has a match')))
})

test('ordered rules and what stands for none of them are changed', () => {
  const found = changes(`version: "1"
default: deny
rules:
  - { name: small, tool: pay_*, server: bank, when: { arguments: { amount: { gte: 5 } } }, action: allow }
`)
  assert.deepEqual(found, [
    '2 no rule matches: denied; now: allowed',
    '4 no rule `small`',
    '4 `small`: allowed; now: denied',
    '4 for tool `pay_*`; now: for any',
    '4 for server `bank`; now: for any',
    '4 not asked: argument `amount` is at least 5',
    '4 argument `amount` is at least 5; now: argument `amount` is greater than 5',
    '4 argument `amount` is at least 5; now: argument `amount` is at least 4',
    '4 argument `amount` is at least 5; now: argument `amount` is at least 6',
  ])
})

test('of a policy pack each word of a workflow is changed', () => {
  const { policy } = written(readFileSync(pack, 'utf8'), 'pack.json')
  const found = mutantsOf(written(readFileSync(pack, 'utf8'), 'pack.json')).mutants
  assert.ok(policy.strategy === 'pack')
  for (const { id, place, agents, scopes } of policy.workflows) {
    const own = found.filter((mutant) => mutant.place.line === place.line).map(({ change }) => change)
    for (const agent of agents) assert.ok(own.includes(`no agent \`${agent}\``), id)
    for (const { namespace, access } of scopes) assert.ok(own.includes(`no scope \`${namespace} ${access}\``), id)
    assert.ok(own.includes(`no workflow \`${id}\``), id)
  }
})

const at = { file: 'p_test.yaml', line: 1, col: 1 }
const callOf = (name: string, args: Call['arguments'] = {}): Call => ({
  ...{ method: 'tools/call', server: '', principal: {}, session: '' },
  ...{ name, arguments: args },
})
const step = (call: Call, decision: string, times = 1): Step => ({
  ...{ kind: 'call', at, timeMs: Date.parse('2026-01-05T12:00:00Z'), outcome: 'success', isFact: false },
  ...{ call, times, expect: [{ path: ['decision'], value: decision, at }] },
})
const caseOf = (name: string, ...steps: readonly Step[]): Case => ({ name, at, steps })
const policy = `version: "1"
default: deny
tools:
  read: {}
  pay:
    rules:
      - { name: cap, arguments: { amount: { max: 100 } } }
      - { name: often, rate_limit: 2/hour }
`
const survivorsOf = (...cases: readonly Case[]) =>
  mutationOf([tryMutants(written(policy), cases.map(trialOf))]).survivors.map(
    ({ place, change }) => `${place.line} ${change}`,
  )

test('a change is noticed by a case that is decided otherwise, and by no other', () => {
  const few = survivorsOf(caseOf('pays', step(callOf('pay', { amount: 5 }), 'allow')))
  assert.ok(few.includes('2 default: deny; now: allow'))
  assert.ok(few.includes('4 no entry `read`'))
  assert.ok(few.includes('8 no rule `often`'))
  assert.ok(!few.includes('5 no entry `pay`'))
  const left = survivorsOf(
    caseOf('reads', step(callOf('read'), 'allow')),
    caseOf('nothing else', step(callOf('wire'), 'deny')),
    caseOf(
      'up to the cap',
      step(callOf('pay', { amount: 100 }), 'allow'),
      step(callOf('pay', { amount: 101 }), 'deny'),
    ),
    caseOf('says how much', step(callOf('pay'), 'deny')),
    caseOf('twice', step(callOf('pay', { amount: 1 }), 'allow', 2), step(callOf('pay', { amount: 1 }), 'deny')),
  )
  // All calls come at one moment, so that nothing is said of the window.
  assert.deepEqual(left, ['8 at most 2 calls an hour; now: a minute', '8 at most 2 calls an hour; now: a day'])
})

const beside = (...rules: readonly string[]) =>
  written(
    `version: "1"\ndefault: deny\ntools:\n  pay:\n    rules:\n${rules.map((rule) => `      - ${rule}\n`).join('')}`,
  )

test('what a warning says decides nothing is not counted where no change of it decides anything', () => {
  const set = beside('{ action: deny }', '{ name: often, rate_limit: 3/day }')
  const { survivors, equivalent } = mutationOf([tryMutants(set, [])])
  assert.ok(equivalent > 3)
  assert.deepEqual([...new Set(survivors.map(({ place }) => place.line))], [2, 6])
})

test('a rule that decides nothing may decide something once it is changed, and that is to be noticed', () => {
  const twice = beside('{ name: one, arguments: { n: { max: 50 } } }', '{ name: two, arguments: { n: { max: 50 } } }')
  const few = [
    caseOf('pays', step(callOf('pay', { n: 1 }), 'allow')),
    caseOf('not too much', step(callOf('pay', { n: 51 }), 'deny')),
  ]
  const left = mutationOf([tryMutants(twice, few.map(trialOf))]).survivors.filter(({ place }) => place.line === 7)
  assert.deepEqual(
    left.map(({ change, witness }) => [change, witness?.call.arguments]),
    [['argument `n` is a number of at most 50; now: argument `n` is a number of at most 49', { n: 50 }]],
  )
  const ordered = written(
    'version: "1"\ndefault: deny\nrules:\n' +
      '  - { name: all, tool: "pay*", action: deny }\n  - { name: some, tool: "pay_*", action: allow }\n',
  )
  const { survivors } = mutationOf([tryMutants(ordered, [])])
  assert.deepEqual(
    survivors.flatMap(({ place, change }) => (place.line === 5 ? [change] : [])),
    ['for tool `pay_*`; now: for any'],
  )
})

test('a case that a mutant decides as before is not played, and would have passed', () => {
  const set = written(policy)
  const pay = (amount: number) => callOf('pay', { amount })
  const cases = [
    caseOf('reads', step(callOf('read'), 'allow')),
    caseOf('pays', step(pay(100), 'allow'), step(pay(101), 'deny'), step(pay(5), 'allow')),
    caseOf('often', step(pay(1), 'allow', 2), step(pay(1), 'deny')),
  ]
  const skipped = cases.flatMap((one) => {
    const trial = trialOf(one)
    const baseline = baselineOf(trial, referenceOf(set.policy))
    const same = mutantsOf(set).mutants.filter(({ policy: mutant }) => baseline.isAsBefore(referenceOf(mutant)))
    for (const { policy: mutant, change } of same)
      assert.ok(trial.passes(referenceOf(mutant)), `${one.name}: ${change}`)
    return same
  })
  assert.ok(skipped.length > 20 && skipped.length < 3 * mutantsOf(set).mutants.length)
})

test('of layers each is changed on its own, and of merged files each rule where it stands', () => {
  const org = 'version: "1"\ndefault: allow\ntools:\n  pay: { rules: [{ action: deny, for: { agent: bot } }] }\n'
  const layers = [
    { name: 'org', written: written(org, 'org.yaml') },
    { name: 'team', written: written(policy, 'team.yaml') },
  ]
  const call = (agent: string) => ({ ...callOf('pay', { amount: 5 }), principal: { agent } })
  const cases = [caseOf('bots', step(call('bot'), 'deny')), caseOf('people', step(call('ann'), 'allow'))]
  const { mutants, survivors } = mutationOf([tryMutants(layers, cases.map(trialOf))])
  const left = survivors.map(({ place, change }) => `${place.file}:${place.line} ${change}`)
  assert.equal(
    mutants,
    mutantsOf(layers[0]?.written as Written).mutants.length + mutantsOf(written(policy)).mutants.length,
  )
  // It names `pay`, and nothing else is called.
  assert.deepEqual(
    left.filter((one) => one.startsWith('org.yaml')),
    ['org.yaml:2 default: allow; now: deny'],
  )
  assert.ok(left.includes('team.yaml:4 no entry `read`'))
  const merged = writtenOf([
    { file: 'base.yaml', text: policy },
    { file: 'more.yaml', text: 'version: "1"\ndefault: deny\ntools:\n  wire: { rules: [{ rate_limit: 1/day }] }\n' },
  ])
  const places = mutantsOf(merged).mutants.map(({ place }) => place)
  assert.deepEqual([...new Set(places.map(({ file }) => file))], ['base.yaml', 'more.yaml'])
})

test('the score counts a change once in a file that is part of two policies', () => {
  const run = (isNoticed: boolean) => ({ tried: [{ place: at, change: 'x', isNoticed }], equivalent: 1 })
  assert.deepEqual(mutationOf([run(false), run(true)]), {
    ...{ mutants: 1, noticed: 1, score: 1, equivalent: 2, survivors: [] },
  })
  assert.equal(mutationOf([run(false)]).score, 0)
  assert.equal(mutationOf([]).score, 1)
})

test('a case that the policy as it is does not pass is no measure', () => {
  assert.throws(() => survivorsOf(caseOf('wrong', step(callOf('read'), 'deny'))), /does not decide `wrong`/)
})
