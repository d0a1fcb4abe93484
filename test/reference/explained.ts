/** What holds of every explanation, whatever the policy is. */
import assert from 'node:assert/strict'
import type { Policy } from '../../src/model/policy.ts'
import type { Explanation } from '../../src/reference/explain.ts'

/** One step decides, and it is the verdict's; what comes before it let the call go on, what comes after was not asked. */
export function isConsistent({ verdict, steps }: Explanation, strategy: Policy['strategy']): void {
  const deciding = steps.findIndex(({ decides }) => decides)
  const said = JSON.stringify({ verdict, steps }, null, 1)
  assert.equal(steps.filter(({ decides }) => decides).length, 1, said)
  const { rule, result, otherwise, asks } = steps[deciding] as Explanation['steps'][number]
  assert.equal(rule, verdict.rule, said)
  assert.ok(asks !== '', said)
  // An ordered rule passes when it matches, whatever it then says.
  if (strategy !== 'first') assert.equal(result === 'passed', verdict.decision === 'allow', said)
  assert.equal(otherwise === undefined, verdict.decision === 'allow', said)
  assert.ok(otherwise?.every((text) => text !== '') ?? true, said)
  assert.ok(otherwise === undefined || otherwise.length > 0, said)
  const onTheWay = strategy === 'first' ? 'failed' : 'passed'
  for (const step of steps.slice(0, deciding)) assert.equal(step.result, onTheWay, said)
  for (const step of steps.slice(deciding + 1)) assert.equal(step.result, 'not_reached', said)
}
