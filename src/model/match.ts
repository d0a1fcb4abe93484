/** Which entries of an `all` policy speak about a target, and how names match. */
import type { AllPolicy, Entry, Method, Pattern, TargetPattern } from './policy.ts'

/** What is acted on: a tool, a resource (`name` is its URI) or a prompt, on a server. */
export interface Target {
  readonly method: Method
  readonly server: string
  readonly name: string
}

export function matchingEntries(policy: AllPolicy, target: Target): readonly Entry[] {
  return policy.entries.filter(
    (entry) => entry.method === target.method && entry.match.some((p) => targetMatches(p, target)),
  )
}

export function targetMatches(pattern: TargetPattern, target: Pick<Target, 'server' | 'name'>): boolean {
  if (pattern.server !== undefined && !matches(pattern.server, target.server)) return false
  return matches(pattern.name, target.name)
}

export function matches(pattern: Pattern, text: string): boolean {
  return pattern.kind === 'literal' ? pattern.text === text : globMatches(pattern.text, text)
}

/** Most globs are told from a text by what stands before their first wildcard. */
function startsAlike(glob: string, text: string): boolean {
  for (let at = 0; at < glob.length; at++) {
    const char = glob[at]
    if (char === '*' || char === '?') return true
    if (char !== text[at]) return false
  }
  return true
}

/** Linear in the text for each star: on a mismatch only the last star moves. */
export function globMatches(glob: string, text: string): boolean {
  if (!startsAlike(glob, text)) return false
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
