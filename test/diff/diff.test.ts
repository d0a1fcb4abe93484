/** What a comparison says of ordered rules, layers and what it cannot solve; and what becomes of an example that is none. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RE2JS } from 're2js'
import { timeUp } from '../../src/diff/changes.ts'
import { compare } from '../../src/diff/compare.ts'
import { numbersFor } from '../../src/diff/numbers.ts'
import { sideOf } from '../../src/diff/side.ts'
import { patternReader } from '../../src/diff/texts/patterns.ts'
import { type Reader, Walked } from '../../src/diff/texts/reader.ts'
import { walkTexts } from '../../src/diff/texts/walk.ts'
import type { Verdict } from '../../src/model/decision.ts'
import { within } from '../../src/reference/truth.ts'
import { fc, tries } from '../random.ts'
import { inTime, policyOf, reportedOf, sidesOf, toldBy } from './compared.ts'

const aegis = (rules: string, approval = 'block') =>
  policyOf(`version: "1"\ndefaults: { risk_level: low, approval: ${approval} }\nrules:\n${rules}`, 'aegis.yaml')
const native = (text: string) => policyOf(`version: "1"\ndefault: deny\n${text}\n`)
const told = (old: Parameters<typeof reportedOf>[0], now: Parameters<typeof reportedOf>[1]) =>
  toldBy(reportedOf(old, now))

test('ordered rules: a bound of a condition', () => {
  const pay = (amount: number) =>
    aegis(
      `  - { match: { type: pay }, conditions: { param_gt: { amount: ${amount} } }, approval: approve }\n  - { match: { type: pay }, approval: auto }\n`,
    )
  assert.deepEqual(told(pay(500), pay(600)), ['newly-allowed: {"tool":"pay","arguments":{"amount":501}}'])
  assert.deepEqual(told(pay(500), pay(500)), [])
})

test('ordered rules: the order of two', () => {
  const [reads, secrets] = [
    '  - { match: { type: "read_*" }, approval: auto }\n',
    '  - { match: { type: "*_secret" }, approval: block }\n',
  ]
  assert.deepEqual(told(aegis(`${secrets}${reads}`), aegis(`${reads}${secrets}`)), [
    'newly-allowed: {"tool":"read_secret"}',
  ])
})

test('ordered rules: hours, weekdays and agents', () => {
  const rule = (hours: string, agent: string) =>
    aegis(`  - { match: { type: deploy, agent: "${agent}" }, conditions: { ${hours} }, approval: auto }\n`)
  const [early, late] = ['time_after: "08:00", weekdays: [1, 2]', 'time_after: "09:00", weekdays: [1, 2]']
  assert.deepEqual(told(rule(early, '*'), rule(late, '*')), [
    'newly-denied: {"tool":"deploy","time":"2026-01-05T08:00:00.000Z"}',
  ])
  assert.deepEqual(told(rule(early, 'bot-*'), rule(early, 'bot-?')), [
    'newly-denied (agent="bot-*"): {"tool":"deploy","time":"2026-01-05T08:00:00.000Z"}',
  ])
})

test('ordered rules: patterns and words', () => {
  const matching = (pattern: string) =>
    aegis(`  - { match: { type: query }, conditions: { param_matches: { sql: '${pattern}' } }, approval: auto }\n`)
  const report = toldBy(reportedOf(matching('^SELECT '), matching('^SELECT a')))
  assert.deepEqual(report[0], 'newly-denied: {"tool":"query","arguments":{"sql":"SELECT "}}')
  const looking = (approval: string) =>
    aegis(`  - { match: { type: "*" }, conditions: { semantic: destructive }, approval: ${approval} }\n`, 'auto')
  const [change, ...more] = reportedOf(looking('block'), looking('approve')).changes
  assert.equal(change?.kind, 'newly-held')
  assert.deepEqual(more, [])
})

test('what a value looks like as a text is not solved for: no change is claimed to be impossible', () => {
  const matching = (pattern: string) =>
    aegis(`  - { match: { type: query }, conditions: { param_matches: { sql: '${pattern}' } }, approval: auto }\n`)
  const report = reportedOf(matching('[0-9]'), matching('[0-9]|[5-6]'))
  assert.equal(report.result, 'not_proved')
  assert.deepEqual(toldBy(report), ['not proved of query: `sql` is matched as a text, whatever it is'])
  assert.equal(reportedOf(matching('[0-9]'), matching('[0-9]')).result, 'unchanged')
})

test('layers: what one of them loosens and another still refuses is no change', () => {
  const org = native('tools: { t: { rules: [{ arguments: { a: { max: 10 } } }] } }')
  const team = (max: number) => native(`tools: { t: { rules: [{ arguments: { a: { max: ${max} } } }] } }`)
  const layers = (max: number) => ({
    layers: [
      { name: 'org', policy: org },
      { name: 'team', policy: team(max) },
    ],
  })
  assert.deepEqual(told(layers(20), layers(30)), [])
  assert.deepEqual(told(layers(20), layers(9)), ['newly-denied: {"tool":"t","arguments":{"a":10}}'])
  assert.deepEqual(told(layers(20), org), [])
})

test('a policy converted into another language decides alike', () => {
  const ordered = policyOf('version: "1"\ndefault: deny\nrules:\n  - { tool: pay, action: allow }\n')
  assert.deepEqual(told(ordered, native('tools: { pay: {} }')), [])
})

test('an argument that only one of them reads may be spelt otherwise for the other', () => {
  const [old, now] = [
    native('tools: { t: {} }'),
    native('tools: { t: { rules: [{ arguments: { limit: { required: false, type: number } } }] } }'),
  ]
  const { changes } = reportedOf(old, now)
  assert.deepEqual(
    changes.map(({ kind, call, respelt, new: { reason_code } }) => [kind, call.arguments, respelt, reason_code]),
    [
      ['newly-denied', { limit: 'a' }, undefined, 'ARGUMENT_REJECTED'],
      ['newly-denied', { Limit: null }, 'Limit', 'MALFORMED_CALL'],
    ],
  )
  assert.deepEqual(
    reportedOf(now, old).changes.map(({ kind, respelt }) => [kind, respelt]),
    [
      ['newly-allowed', undefined],
      ['newly-allowed', 'Limit'],
    ],
  )
})

test('pinning that is another is not proved to change nothing', () => {
  const report = reportedOf(native('tools: { t: {} }'), native('pinning: strict\ntools: { t: {} }'))
  assert.equal(report.result, 'not_proved')
})

test('an approval that needs less is told, though the same calls are held', () => {
  const held = (quorum: number) =>
    native(`tools: { t: { rules: [{ action: require_approval, approval_quorum: ${quorum} }] } }`)
  const [told, ...more] = toldBy(reportedOf(held(2), held(1)))
  assert.match(told as string, /^not proved of t: what an approval of held calls needs/)
  assert.deepEqual(more, [])
})

test('so is one that needs as much as before, but of other calls, or of other callers', () => {
  const asked = (one: string, two: string) =>
    native(
      `tools: { t: { rules: [{ action: require_approval, ${one} }, { action: require_approval, approval_quorum: 2, ${two} }] } }`,
    )
  const [few, many] = ['arguments: { n: { min: 5 } }', 'arguments: { n: { min: 9 } }']
  const [bots, people] = ['for: { agent: bot }', 'for: { agent: ann }']
  for (const [one, two] of [
    [few, many],
    [bots, people],
  ] as const) {
    const told = toldBy(reportedOf(asked(one, two), asked(two, one)))
    assert.match(told.join(), /not proved of t: what an approval of held calls needs/)
    assert.deepEqual(toldBy(reportedOf(asked(one, two), asked(one, two))), [])
  }
  const ordered = native('rules: [{ tool: t, action: require_approval }]')
  const twice = native('tools: { t: { rules: [{ action: require_approval, approval_quorum: 2 }] } }')
  assert.match(toldBy(reportedOf(twice, ordered)).join(), /not proved of t: what an approval of held calls needs/)
})

test('a policy pack is of a kind that is not solved', () => {
  assert.equal(sideOf({ strategy: 'pack' } as Parameters<typeof sideOf>[0]), undefined)
})

test('an example that the compiled policy does not bear out is no example: it is told as a fault', () => {
  const [old, now] = sidesOf(native('tools: { t: {} }'), native('tools: { u: {} }'))
  const lying = () => ({ decision: 'hold', reason_code: 'X', rule: 'x', message: '' }) as Verdict
  const { found } = compare(old, now, { ...inTime, new: lying })
  const faults = found.flatMap((one) => one.faults)
  assert.equal(faults.length, 2)
  assert.match(faults[0] as string, /the compiled policy says hold, the reference deny: \{"tool":"t"\}/)
  assert.deepEqual(
    found.flatMap(({ changes }) => changes),
    [],
  )
})

test('when its time is up a target is not decided, whatever was found by then', () => {
  const many = (prefix: string) =>
    native(
      `tools: { t: { rules: [${Array.from({ length: 12 }, (_, i) => `{ action: deny, arguments: { a${i}: { min: 5 }, b${i}: { prefix: ${prefix} } } }`).join(', ')}] } }`,
    )
  const [old, now] = sidesOf(many('x'), many('y'))
  let steps = 0
  const { found } = compare(old, now, { deadline: () => () => ++steps > 60 })
  assert.ok(found.some(({ unproved }) => unproved === timeUp))
})

test('texts of too many kinds are not all looked at, and that is told', () => {
  const rule = (n: number) => `arguments: { a: { search: "x.{${n}}y" } }`
  const long = (n: number) => native(`tools: { t: { rules: [{ ${rule(n)} }] } }`)
  const other = native('tools: { t: { rules: [{ arguments: { a: { search: "x.{17}(?:y|y)" } } }] } }')
  const same = reportedOf(long(17), other, { ...inTime, statesMax: 500 })
  assert.equal(same.result, 'not_proved')
  assert.match(toldBy(same).join(), /texts of `a` are of too many kinds/)
})

const patterns = [
  'a*b',
  '^a',
  'a$',
  '(?m)^b$',
  '\\bab\\b',
  '\\Bb',
  '(?i)k',
  '[^a-c]',
  '(?s).b',
  '.b',
  '\\pL+',
  '(a|ab)(c|bcd)*',
  '',
  'x{2,3}',
]

test('a pattern that is walked says what RE2 says', () => {
  const text = fc.string({
    unit: fc.constantFrom('a', 'b', 'c', 'd', 'k', 'K', 'x', ' ', '\n', 'é', '😀', '\u212a'),
    maxLength: 6,
  })
  fc.assert(
    fc.property(fc.constantFrom(...patterns), fc.boolean(), text, (pattern, whole, read) => {
      const walked = new Walked(patternReader(pattern, whole) as unknown as Reader<never>)
      let state = 0
      for (const char of read) state = walked.step(state, char.codePointAt(0) as number)
      const compiled = RE2JS.compile(pattern)
      assert.equal(walked.marks(state), String(whole ? compiled.matches(read) : compiled.matcher(read).find()))
    }),
    { numRuns: tries(2_000) },
  )
})

test('a walk finds a text for each thing that patterns can say together', () => {
  const readers = ['a+', '[ab]+', 'b'].map((pattern) => patternReader(pattern, true) as unknown as Reader<never>)
  const { texts, complete } = walkTexts(readers, { statesMax: 100, expired: () => false })
  assert.ok(complete)
  const said = texts.map((one) => ['a+', '[ab]+', 'b'].map((pattern) => RE2JS.compile(pattern).matches(one)).join())
  assert.deepEqual(said.toSorted(), ['false,false,false', 'false,true,false', 'false,true,true', 'true,true,false'])
})

test('numbers that bounds tell apart are all there', () => {
  const bound = fc.oneof(fc.integer({ min: -20, max: 20 }), fc.double({ noNaN: true, noDefaultInfinity: true }))
  fc.assert(
    fc.property(
      fc.array(bound, { maxLength: 4 }),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      (bounds, value) => {
        const tell = (one: number) =>
          JSON.stringify([
            bounds.map((min) => [within(one, { min }), within(one, { above: min })]),
            Number.isSafeInteger(one),
          ])
        assert.ok(
          numbersFor(bounds).some((one) => tell(one) === tell(value)),
          `${bounds} ${value}`,
        )
      },
    ),
    { numRuns: tries(2_000) },
  )
})
