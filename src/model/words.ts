/**
 * The words of a call, for conditions that look for some: of the tool, the server, the names of its arguments and those
 * of its arguments that are text. A word is letters, digits and underscores of ASCII, and each part between underscores.
 */
import type { Call } from './call.ts'

/** Those of the policy's words that the call has: words of the agent's choosing go nowhere. */
export function wordsIn(call: Call, wanted: ReadonlySet<string>): readonly string[] {
  const found = new Set<string>()
  for (const text of textsOf(call)) {
    for (const [word] of text.toLowerCase().matchAll(/[a-z0-9_]+/g)) {
      for (const part of [word, ...word.split('_')]) if (wanted.has(part)) found.add(part)
    }
  }
  return [...found].sort()
}

/** `mcp` is a word of every call: Aegis describes an action as `MCP: tool@server`. */
function textsOf(call: Call): readonly string[] {
  const values = Object.values(call.arguments).filter((value) => typeof value === 'string')
  return ['mcp', call.name, call.server, ...Object.keys(call.arguments), ...values]
}
