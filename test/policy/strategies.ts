/** For tests that look into a policy: it decides by this strategy, or the test fails. */
import assert from 'node:assert/strict'
import type { FirstPolicy } from '../../src/model/ordered.ts'
import type { PackPolicy } from '../../src/model/pack/policy.ts'
import type { AllPolicy, Policy } from '../../src/model/policy.ts'

export function ofAll(policy: Policy | undefined): AllPolicy {
  assert.ok(policy?.strategy === 'all')
  return policy
}

export function ofPack(policy: Policy | undefined): PackPolicy {
  assert.ok(policy?.strategy === 'pack')
  return policy
}

export function ofFirst(policy: Policy | undefined): FirstPolicy {
  assert.ok(policy?.strategy === 'first')
  return policy
}
