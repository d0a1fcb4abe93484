/** An example that needs counters to stand somewhere, told as a call that is made again and again: that can be tried out. */

import type { Example } from './example.ts'
import { chargesOf, judgedCall, type Said } from './judge.ts'
import type { Side } from './side.ts'

/** More calls than these nobody tries. */
const timesMax = 200

/** At which time the call is decided so, counted from the first one by each side for itself; undefined when it never is. */
export function timesUntil(
  old: Side,
  now: Side,
  { call, counts }: Example,
  wanted: { readonly old: Said; readonly new: Said },
): number | undefined {
  if ([...counts.values()].every((count) => count === 0)) return 1
  const [was, is] = [new Map<string, number>(), new Map<string, number>()]
  for (let times = 1; times <= timesMax; times++) {
    const [before, after] = [decide(old, call, was), decide(now, call, is)] as const
    if (isSame(before, wanted.old) && isSame(after, wanted.new)) return times
    if (before.decision !== 'allow' && after.decision !== 'allow') return undefined
  }
  return undefined
}

function decide(side: Side, call: Example['call'], counts: Map<string, number>): Said {
  const judged = judgedCall(side, { call, counts }, undefined)
  if (judged.said.decision === 'allow')
    for (const [key, charge] of chargesOf(side, judged)) counts.set(key, (counts.get(key) ?? 0) + charge)
  return judged.said
}

function isSame(one: Said, other: Said): boolean {
  return one.decision === other.decision && one.rule === other.rule && one.reason_code === other.reason_code
}
