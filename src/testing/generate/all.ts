/** Cases of an `all` policy: of each entry a call that is allowed, and of each question one that it stops. */
import type { Principal } from '../../model/call.ts'
import { checksOf } from '../../model/checks.ts'
import type { Target } from '../../model/match.ts'
import { type AllPolicy, judgedMethods, type Method } from '../../model/policy.ts'
import { questionText } from '../../reference/explainAll.ts'
import { Around, idOf } from './around.ts'
import { nameFor } from './names.ts'
import type { Sketch, Sketches } from './sketch.ts'

export function sketchesOfAll(policy: AllPolicy, somebody: Principal, timeMs: number): Sketches {
  const asked = new Set<string>()
  const targets = targetsOf(policy)
  const parts = targets.map(
    (target) => new Around(policy, { target, principal: somebody, arguments: {}, timeMs }, asked),
  )
  const feeder = (counter: string) => {
    for (const part of parts) if (part.counts(counter)) return part.fine
    return undefined
  }
  const sketches = parts.flatMap((part) => part.sketches(feeder))
  const missed = policy.entries.flatMap((entry) =>
    checksOf(policy, [entry]).flatMap((check) =>
      asked.has(idOf(check)) ? [] : [`${entry.key}: ${check.rule.name}: ${questionText(check)}`],
    ),
  )
  return { sketches: [...sketches, ...unlisted(policy, somebody, timeMs)], missed }
}

/** One target of each entry; those of `"*"` only where nothing else has them. */
function targetsOf({ entries }: AllPolicy): readonly Target[] {
  const targets = entries.flatMap((entry) => {
    const [pattern] = entry.match
    if (!pattern) return []
    return [
      { method: entry.method, server: pattern.server ? nameFor(pattern.server) : '', name: nameFor(pattern.name) },
    ]
  })
  return [...new Map(targets.map((target) => [JSON.stringify(target), target])).values()]
}

const nouns: Readonly<Record<Method, string>> = {
  'tools/call': 'tool',
  'resources/read': 'resource',
  'prompts/get': 'prompt',
}

function unlisted(policy: AllPolicy, principal: Principal, timeMs: number): readonly Sketch[] {
  const methods = judgedMethods.filter(
    (method) => method === 'tools/call' || policy.entries.some((entry) => entry.method === method),
  )
  return methods.map((method) => ({
    name: `a ${nouns[method]} that the policy does not name`,
    attempt: { target: { method, server: '', name: `another_${nouns[method]}` }, principal, arguments: {}, timeMs },
  }))
}
