/** What another policy changes about one recorded call. */
import type { Decided } from './event.ts'

export const changes = ['newly_allowed', 'newly_denied', 'newly_held', 'other_rule', 'other_reason'] as const

export type Change = (typeof changes)[number]

/** Undefined where nothing changes. A call that ends its session is a denied one. */
export function changeOf(before: Decided, after: Decided): Change | undefined {
  if (isRefused(before) && isRefused(after)) return changeOfReason(before, after)
  if (before.decision === after.decision) return changeOfReason(before, after)
  if (after.decision === 'allow') return 'newly_allowed'
  return after.decision === 'hold' ? 'newly_held' : 'newly_denied'
}

/** Where it was not recorded which rule decided, or why, that is not compared. */
function changeOfReason(before: Decided, after: Decided): Change | undefined {
  if (before.rule !== '' && before.rule !== after.rule) return 'other_rule'
  const sameReason = before.reason_code === '' || before.reason_code === after.reason_code
  const same = before.decision === after.decision && sameReason && before.variant === after.variant
  return same ? undefined : 'other_reason'
}

function isRefused({ decision }: Decided): boolean {
  return decision === 'deny' || decision === 'kill'
}
