/** Under the policy that decided, nothing changes: whatever it counts, holds, stops and pins, and whatever was called. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bodyOf } from '../../src/log/body.ts'
import type { ArgumentsKept } from '../../src/log/describe.ts'
import { seed } from '../random.ts'
import { recordings } from './arbitrary.ts'
import { record, replayed } from './recording.ts'

const all = [...recordings()]

for (const kept of ['full', 'digest', 'none'] as const satisfies ArgumentsKept[])
  test(`under the policy that decided nothing changes, with arguments kept: ${kept} (seed ${seed})`, (t) => {
    const seen = new Map<string, number>()
    const count = (what: string) => seen.set(what, (seen.get(what) ?? 0) + 1)
    for (const { active, steps } of all) {
      const { records, events } = record(active, steps, kept)
      for (const judgement of replayed(active, events)) {
        const { recorded } = judgement
        const body = bodyOf(records[recorded.place - 1] as (typeof records)[number])
        const about = JSON.stringify({ seed, body })
        if ('lack' in judgement) {
          count(`undecidable: ${judgement.lack.cause}`)
          continue
        }
        assert.ok('decision' in judgement, `a repeat of a call that was not let through before: ${about}`)
        // Of a check that nothing was written for a request is known all the same.
        const { decision_id: _, ...now } = judgement.decision
        const { decision_id: __, ...then } = body['result'] as Record<string, unknown>
        assert.deepEqual(JSON.parse(JSON.stringify(now)), then, about)
        count(`${now.decision}${now.approval ? ' with an approval' : ''}`)
        count(now.reason_code)
      }
    }
    t.diagnostic(JSON.stringify(Object.fromEntries([...seen].sort())))
    if (kept === 'full')
      assert.deepEqual(
        [...seen.keys()].filter((key) => key.startsWith('undecidable')),
        [],
      )
    // Without its arguments nobody can tell which call a person was asked about, nor what it took.
    const persons = kept === 'none' ? [] : ['hold with an approval', 'allow with an approval']
    const limits = kept === 'full' ? ['RATE_LIMITED', 'SPEND_LIMIT_EXCEEDED', 'APPROVAL_REJECTED'] : []
    for (const wanted of ['ALLOW', 'KILLED', 'TOOL_KILLED', 'TOOL_CHANGED', ...persons, ...limits])
      assert.ok((seen.get(wanted) ?? 0) > 0, `${wanted}: ${seen.get(wanted)}`)
  })
