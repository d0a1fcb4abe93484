/** What a replay says of a call is so, whatever else is not known: it may say less than it could, never something wrong. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RecordedEvent } from '../../src/replay/event.ts'
import type { Judgement } from '../../src/replay/replay.ts'
import { fc, seed } from '../random.ts'
import { busyText, firstLists, payments, policyOf, recordings, sample, stepsOf } from './arbitrary.ts'
import { type Active, activeOf, record, replayed } from './recording.ts'

/** Nothing is counted: what is not known of a call bears on what persons are asked alone. */
const asking = `
version: "1"
policy_id: asking
default: allow
tools:
  pay: { rules: [{ name: ask, action: require_approval, arguments: { amount: { min: 1 } } }] }
  pay_in: { rules: [{ name: ask_too, action: require_approval, arguments: { amount: { min: 5 } } }] }
`

const others = [
  asking,
  asking.replace('min: 1', 'min: 5'),
  busyText,
  busyText.replace('per_call: 10, daily: 10', 'per_call: 5, daily: 30').replace('limit: 6', 'limit: 3'),
  busyText.replace('min: 5', 'min: 1').replaceAll('approval_quorum: 2', 'approval_quorum: 1'),
  busyText.replace('default: deny', 'default: allow').replace(/ {4}rules:\n.*two.*\n/, '    rules:\n'),
].map((text) => activeOf(policyOf(text.replace('pinning: first_use\n', ''))))

/** The same record, of some calls of which neither the arguments are kept nor what was judged. */
function forgetting(events: readonly RecordedEvent[], forgets: (index: number) => boolean): readonly RecordedEvent[] {
  return events.map((event, index) => {
    if (event.kind !== 'call' || !forgets(index)) return event
    const { input: _, ...rest } = event
    return { ...rest, arguments: { kept: 'none' as const }, call: { ...event.call, arguments: {} } }
  })
}

function saysOf(judgement: Judgement): string {
  if (!('decision' in judgement)) return 'repeats' in judgement ? 'repeat' : 'undecidable'
  const { decision, rule, reason_code, message } = judgement.decision
  // Of several that have stopped it, one is named: the others are not known to all.
  return JSON.stringify([decision, rule, reason_code, ...(reason_code === 'KILLED' ? [] : [message])])
}

test(`what is decided without some arguments is what is decided with them (seed ${seed})`, (t) => {
  const seen = new Map<string, number>()
  const runs = sample(fc.tuple(stepsOf(payments, 250), fc.array(fc.nat(99), { minLength: 50, maxLength: 50 })), 9)
  for (const [run, [steps, drawn]] of runs.entries()) {
    // A stopped session says nothing of what is asked here.
    const unstopped = steps.filter((step) => step.do !== 'kill' && step.do !== 'lift')
    const { events } = record(others[run % 3] as Active, [...firstLists, ...unstopped])
    // Of one call in a hundred, or of one in ten.
    const share = run % 2 === 0 ? 1 : 10
    const less = forgetting(events, (index) => ((drawn[index % drawn.length] as number) + index) % 100 < share)
    for (const active of others) {
      const known = new Map(replayed(active, events).map((one) => [one.recorded.decisionId, saysOf(one)]))
      for (const judgement of replayed(active, less)) {
        const says = saysOf(judgement)
        const { decisionId } = judgement.recorded
        if (says !== 'undecidable') assert.equal(says, known.get(decisionId), JSON.stringify({ seed, run, decisionId }))
        const kind = 'lack' in judgement ? judgement.lack.cause : says === 'repeat' ? says : JSON.parse(says)[0]
        seen.set(kind, (seen.get(kind) ?? 0) + 1)
      }
      assert.ok(![...known.values()].includes('undecidable'))
    }
  }
  t.diagnostic(JSON.stringify(Object.fromEntries(seen)))
  for (const wanted of ['allow', 'deny', 'hold', 'repeat', 'arguments', 'counters', 'approval'])
    assert.ok((seen.get(wanted) ?? 0) > 10, `${wanted}: ${seen.get(wanted)}`)
})

test(`nor is anything guessed under random policies of every kind, and layers of them (seed ${seed})`, (t) => {
  const seen = new Map<string, number>()
  const all = [...recordings()]
  for (const [index, { active, steps }] of all.entries()) {
    const { events } = record(active, steps)
    const less = forgetting(events, (place) => (place + index) % 12 === 0)
    for (const other of [active, (all[(index + 1) % all.length] as { active: Active }).active]) {
      const known = new Map(replayed(other, events).map((one) => [one.recorded.decisionId, saysOf(one)]))
      for (const judgement of replayed(other, less)) {
        const says = saysOf(judgement)
        const { decisionId } = judgement.recorded
        if (says !== 'undecidable')
          assert.equal(says, known.get(decisionId), JSON.stringify({ seed, index, decisionId }))
        const kind = 'lack' in judgement ? judgement.lack.cause : 'decided'
        seen.set(kind, (seen.get(kind) ?? 0) + 1)
      }
    }
  }
  t.diagnostic(JSON.stringify(Object.fromEntries(seen)))
  for (const wanted of ['decided', 'arguments', 'counters', 'session', 'run'])
    assert.ok((seen.get(wanted) ?? 0) > 20, `${wanted}: ${seen.get(wanted)}`)
})
