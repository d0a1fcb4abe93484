/** Under another policy: what each recorded call comes to, and what follows from it for those after it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Call } from '../../src/model/call.ts'
import { changeOf } from '../../src/replay/change.ts'
import type { RecordedEvent } from '../../src/replay/event.ts'
import { policyOf } from './arbitrary.ts'
import { type Active, activeOf, layersOf, record, replayed, type Step } from './recording.ts'

const policy = (rules: string): Active =>
  activeOf(policyOf(`version: "1"\npolicy_id: p\ndefault: deny\ntools:\n  pay:\n    rules:\n${rules}`))
const capped = (daily: number) => policy(`      - { name: cap, spend: { amount: amount, daily: ${daily} } }\n`)
const asking = (min: number, more = '') =>
  policy(`      - { name: ask, action: require_approval, arguments: { amount: { min: ${min} } }${more} }\n`)

const pay = (amount: number, more: Partial<Call> = {}): Call => ({
  method: 'tools/call',
  server: 'bank',
  name: 'pay',
  arguments: { amount },
  principal: { agent: 'bot' },
  session: 's',
  ...more,
})
const call = (amount: number, ends: 'success' | 'error' | 'unknown' | 'open' = 'success'): Step => ({
  do: 'call',
  call: pay(amount),
  ends,
})
const again: Step = { do: 'again', of: 0, ends: 'success' }

/** What was decided before and what is decided now, call by call. */
function story(
  before: Active,
  after: Active,
  steps: readonly Step[],
  change = (events: readonly RecordedEvent[]) => events,
) {
  return replayed(after, change(record(before, steps).events)).map((judgement) => {
    const { decided } = judgement.recorded
    if ('repeats' in judgement) return `${decided.decision}: the same call`
    if ('lack' in judgement) return `${decided.decision}: undecidable, ${judgement.lack.cause}`
    const { decision } = judgement
    return `${decided.decision}: ${decision.decision}${changeOf(decided, decision) ? `, ${changeOf(decided, decision)}` : ''}`
  })
}

test('counters stand as the new policy would have had them: what it refuses takes nothing', () => {
  // 60 + 60 passes 100; under a cap of 50 a call, only the small ones take.
  const after = policy('      - { name: cap, spend: { amount: amount, per_call: 50, daily: 100 } }\n')
  assert.deepEqual(story(capped(100), after, [call(60), call(60), call(40), call(40), call(20)]), [
    'allow: deny, newly_denied',
    'deny: deny, other_reason',
    'allow: allow',
    'deny: allow, newly_allowed',
    'deny: allow, newly_allowed',
  ])
})

test('what failed gives back what it took; a call that was not made counts as made once it is allowed', () => {
  assert.deepEqual(story(capped(100), capped(150), [call(80, 'error'), call(100), call(50), call(10), call(1)]), [
    'allow: allow',
    'allow: allow',
    'deny: allow, newly_allowed',
    'deny: deny',
    'deny: deny',
  ])
})

test('a person answers as they did: also where another rule asks them', () => {
  const steps: readonly Step[] = [call(60), { do: 'approve', of: 0, by: 'ada' }, again, again]
  assert.deepEqual(story(asking(50), asking(40), steps), ['hold: hold', 'allow: allow', 'hold: hold'])
  assert.deepEqual(story(asking(50), asking(50, ', approval_quorum: 2'), steps), [
    'hold: hold',
    'allow: hold, newly_held',
    'hold: hold',
  ])
  const rejected: readonly Step[] = [call(60), { do: 'reject', of: 0, by: 'ada' }, again]
  assert.deepEqual(story(asking(50), asking(40), rejected), ['hold: hold', 'deny: deny'])
})

test('a call that went with something else beside its arguments is another one, whoever approved the one', () => {
  const sent = (more: Call['params'] = {}): Step => ({ do: 'call', call: pay(60, { params: more }), ends: 'success' })
  const [one, other] = [sent({ task: { ttl: 1 } }), sent({ task: { ttl: 2 } })]
  const steps: readonly Step[] = [one, other, { do: 'approve', of: 1, by: 'ada' }, other, one, one]
  const decided = ['hold: hold', 'hold: hold', 'hold: hold', 'allow: allow', 'hold: hold']
  assert.deepEqual(story(asking(50), asking(40), steps), decided)
  const again = (token: number) => sent({ _meta: { progressToken: token } })
  const retried: readonly Step[] = [again(1), { do: 'approve', of: 0, by: 'ada' }, again(2), again(3)]
  assert.deepEqual(story(asking(50), asking(40), retried), ['hold: hold', 'allow: allow', 'hold: hold'])
})

test('whether an answer was for a call is not guessed where the record has no request of it', () => {
  const limited = (daily: number) =>
    policy(
      `      - { name: cap, spend: { amount: amount, daily: ${daily} } }\n      - { name: ask, action: require_approval, arguments: { amount: { min: 55 } } }\n`,
    )
  const sent = (params: Call['params'] = {}): Step => ({ do: 'call', call: pay(60, { params }), ends: 'success' })
  const approved: Step = { do: 'approve', of: 0, by: 'ada' }
  const first = sent({ task: {} })
  const after = ['hold: hold', 'allow: allow']
  assert.deepEqual(story(limited(100), limited(500), [first, approved, call(50), sent({ task: { ttl: 2 } })]), [
    ...after,
    'deny: undecidable, approval',
  ])
  assert.deepEqual(story(limited(100), limited(500), [first, approved, call(50), first]), [
    ...after,
    'deny: allow, newly_allowed',
  ])
})

test('what was held and passes now is made once: the calls that asked again are the same call', () => {
  const steps: readonly Step[] = [call(60), again, { do: 'approve', of: 0, by: 'ada' }, again, call(60), call(50)]
  const after = policy(
    '      - { name: cap, spend: { amount: amount, daily: 170 } }\n      - { name: ask, action: require_approval, arguments: { amount: { min: 100 } } }\n',
  )
  assert.deepEqual(story(asking(55), after, steps), [
    'hold: allow, newly_allowed',
    'hold: the same call',
    'allow: the same call',
    'hold: allow, newly_allowed',
    'allow: allow',
  ])
})

test('how the approved call ended is how the one ended that takes its place', () => {
  const failing: readonly Step[] = [
    call(60),
    { do: 'approve', of: 0, by: 'ada' },
    { do: 'again', of: 0, ends: 'error' },
    call(50),
  ]
  assert.deepEqual(story(asking(55), capped(60), failing), [
    'hold: allow, newly_allowed',
    'allow: the same call',
    'allow: allow',
  ])
})

test('persons stop what they stopped, whatever the policy', () => {
  const steps: readonly Step[] = [
    { do: 'kill', kind: 'session', name: 's' },
    call(10),
    { do: 'lift', kind: 'session', name: 's' },
    call(10),
  ]
  assert.deepEqual(story(capped(1), capped(100), steps), ['kill: kill', 'deny: allow, newly_allowed'])
})

/** Of one call neither the arguments nor what was judged is kept. */
const forgettingThe =
  (nth: number) =>
  (events: readonly RecordedEvent[]): readonly RecordedEvent[] => {
    let count = 0
    return events.map((event) => {
      if (event.kind !== 'call' || ++count !== nth) return event
      const { input: _, ...rest } = event
      return { ...rest, arguments: { kept: 'none' }, call: { ...event.call, arguments: {} } }
    })
  }

test('what an undecidable call may have taken makes others undecidable, where it matters and as long as it does', () => {
  const byCalls = policy(
    '      - { name: often, rate_limit: 2/minute }\n      - { name: cap, spend: { amount: amount, per_call: 90 } }\n',
  )
  const steps: readonly Step[] = [
    call(10),
    call(95),
    call(10),
    call(10),
    call(10),
    { do: 'wait', ms: 60_000 },
    call(10),
  ]
  assert.deepEqual(story(capped(1_000), byCalls, steps, forgettingThe(1)), [
    'allow: undecidable, arguments',
    'allow: deny, newly_denied',
    'allow: allow',
    'allow: undecidable, counters',
    'allow: undecidable, counters',
    'allow: allow',
  ])
  const failed: readonly Step[] = [call(10, 'error'), call(10), call(10), call(10)]
  assert.deepEqual(story(capped(1_000), byCalls, failed, forgettingThe(1)), [
    'allow: undecidable, arguments',
    'allow: allow',
    'allow: allow',
    'allow: deny, newly_denied',
  ])
})

test('a masked argument is missed by the rule that reads it, and by no other', () => {
  const masked = (path: readonly string[]) => (events: readonly RecordedEvent[]) =>
    events.map((event) => (event.kind === 'call' ? { ...event, hidden: [path] } : event))
  assert.deepEqual(story(capped(9), capped(9), [call(1)], masked(['arguments', 'amount'])), [
    'allow: undecidable, masked',
  ])
  assert.deepEqual(story(capped(9), capped(9), [call(1)], masked(['principal', 'user'])), [
    'allow: undecidable, masked',
  ])
  assert.deepEqual(story(capped(9), capped(9), [call(1)], masked(['arguments', 'note'])), ['allow: allow'])
})

test('what the policy read of arguments that are not kept is enough for a policy that reads no more', () => {
  const { events } = record(capped(9), [call(1), call(9)], 'digest')
  const read = (active: Active) =>
    replayed(active, events).map((one) => ('decision' in one ? one.decision.decision : 'lack' in one ? one.lack : one))
  assert.deepEqual(read(capped(5)), ['allow', 'deny'])
  const more = policy('      - { name: more, arguments: { amount: { max: 5 }, note: { type: string } } }\n')
  const lack = { cause: 'arguments', needs: ['amount', 'note'] }
  assert.deepEqual(read(more), [lack, lack])
})

test('layers judge what one policy judged, and one policy what layers judged', () => {
  const org = policyOf(
    'version: "1"\npolicy_id: org\ndefault: allow\ntools: { pay: { rules: [{ name: two, rate_limit: 2/day }] } }\n',
  )
  const team = policyOf(
    'version: "1"\npolicy_id: team\ndefault: deny\ntools: { pay: { rules: [{ name: cap, spend: { amount: amount, per_call: 5 } }] } }\n',
  )
  const both = layersOf({ org, team })
  const steps = [call(1), call(6), call(1), call(1)]
  assert.deepEqual(story(activeOf(team), both, steps), [
    'allow: allow',
    'deny: deny',
    'allow: allow',
    'allow: deny, newly_denied',
  ])
  assert.deepEqual(story(both, activeOf(org), steps), [
    'allow: allow',
    'deny: allow, newly_allowed',
    'allow: deny, newly_denied',
    'deny: deny',
  ])
})

test('pinning counts as it was noted where it is the same, and is left out where no record says what lists showed', () => {
  const pinned = (mode: string) =>
    activeOf(policyOf(`version: "1"\npolicy_id: p\ndefault: deny\n${mode}tools: { pay: { rules: [] } }\n`))
  const list = (description: string): Step => ({ do: 'list', server: 'bank', tools: [{ name: 'pay', description }] })
  const steps: readonly Step[] = [call(1), list('pays'), call(1), list('pays more'), call(1)]
  const first = pinned('pinning: first_use\n')
  assert.deepEqual(story(first, first, steps), ['deny: deny', 'allow: allow', 'deny: deny'])
  assert.deepEqual(story(first, pinned(''), steps), [
    'deny: allow, newly_allowed',
    'allow: allow',
    'deny: allow, newly_allowed',
  ])
  assert.deepEqual(story(first, pinned('pinning: strict\n'), steps), [
    'deny: undecidable, pinning',
    'allow: allow',
    'deny: undecidable, pinning',
  ])
})

test('an undecidable call may have used what a person gave, and what a person was asked then is not known', () => {
  const steps: readonly Step[] = [call(60), { do: 'approve', of: 0, by: 'ada' }, again, again, call(10)]
  assert.deepEqual(story(asking(50), asking(50), steps, forgettingThe(2)), [
    'hold: hold',
    'allow: undecidable, arguments',
    'hold: undecidable, approval',
    'allow: allow',
  ])
})

test('a rule that reads a counter is judged at no number that is between two', () => {
  const reading = activeOf(
    policyOf(`version: "1"
policy_id: p
default: deny
counters: { calls: { window: minute } }
tools:
  pay:
    rules:
      - { name: count, limits: { calls: 100 } }
      - { name: third, action: deny, counted: { calls: { min: 2, max: 2 } }, arguments: { amount: { min: 0 } } }
`),
  )
  // It may be the second call or the third one, of three and of four: allowed at both ends, and refused in between.
  const twice = (events: readonly RecordedEvent[]) => forgettingThe(2)(forgettingThe(1)(events))
  assert.deepEqual(story(capped(900), reading, [call(1), call(1), call(1), call(1)]), [
    'allow: allow',
    'allow: allow',
    'allow: deny, newly_denied',
    'allow: deny, newly_denied',
  ])
  assert.deepEqual(story(capped(900), reading, [call(1), call(1), call(1), call(1)], twice), [
    'allow: undecidable, arguments',
    'allow: undecidable, arguments',
    'allow: undecidable, counters',
    'allow: undecidable, counters',
  ])
})

test('a call that was too large to ask a person about is too large to say more of', () => {
  const large: Step = {
    do: 'call',
    call: pay(60, { arguments: { amount: 60, note: 'x'.repeat(70_000) } }),
    ends: 'success',
  }
  assert.deepEqual(story(asking(50), asking(50), [large]), ['deny: undecidable, arguments'])
  const unread = activeOf(
    policyOf(
      'version: "1"\npolicy_id: p\ndefault: deny\ntools: { pay: { rules: [{ name: ask, action: require_approval }] } }\n',
    ),
  )
  assert.deepEqual(story(unread, unread, [large]), ['deny: undecidable, arguments'])
})
