/** Which entries of a policy speak about a target. */
import type { Entry, Method, Pattern, Policy, TargetPattern } from './policy.ts'

/** What is acted on: a tool, a resource (`name` is its URI) or a prompt, on a server. */
export interface Target {
  readonly method: Method
  readonly server: string
  readonly name: string
}

export function matchingEntries(policy: Policy, target: Target): readonly Entry[] {
  return policy.entries.filter(
    (entry) => entry.method === target.method && entry.match.some((p) => targetMatches(p, target)),
  )
}

/** Is the target named by the policy at all? `"*"` does not count. */
export function isListed(entries: readonly Entry[]): boolean {
  return entries.some((entry) => entry.lists)
}

/**
 * May a list show the target? Not when every call of it would be refused whatever its arguments are: nothing lists it
 * under `default: deny`, or a rule denies it without conditions.
 */
export function isVisible(policy: Policy, target: Target): boolean {
  const entries = matchingEntries(policy, target)
  if (policy.default === 'deny' && !isListed(entries)) return false
  return !entries.some((entry) => entry.rules.some((rule) => rule.effect === 'deny' && rule.conditions.length === 0))
}

function targetMatches(pattern: TargetPattern, target: Target): boolean {
  if (pattern.server !== undefined && !matches(pattern.server, target.server)) return false
  return matches(pattern.name, target.name)
}

export function matches(pattern: Pattern, text: string): boolean {
  return pattern.kind === 'literal' ? pattern.text === text : globMatches(pattern.text, text)
}

/** Linear in the text for each star: on a mismatch only the last star moves. */
export function globMatches(glob: string, text: string): boolean {
  const pattern = [...glob]
  const chars = [...text]
  let p = 0
  let t = 0
  let star = -1
  let resume = 0
  while (t < chars.length) {
    if (pattern[p] === '*') {
      star = p++
      resume = t
    } else if (pattern[p] === '?' || (p < pattern.length && pattern[p] === chars[t])) {
      p++
      t++
    } else if (star >= 0) {
      p = star + 1
      t = ++resume
    } else return false
  }
  while (pattern[p] === '*') p++
  return p === pattern.length
}
