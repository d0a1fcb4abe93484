/** Regular expressions are compiled once: tests of policies ask the same ones thousands of times. */
import { RE2JS } from 're2js'

const known = new Map<string, RE2JS>()

/** As many as a large policy has. */
const knownMax = 1_000

export function expressionOf(pattern: string): RE2JS {
  const found = known.get(pattern)
  if (found) return found
  if (known.size >= knownMax) known.clear()
  const compiled = RE2JS.compile(pattern)
  known.set(pattern, compiled)
  return compiled
}
