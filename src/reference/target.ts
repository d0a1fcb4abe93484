/** What an input document is about. */
import type { Input } from '../model/call.ts'
import type { Target } from '../model/match.ts'

export function targetOf(input: Input): Target {
  return { method: input.method, server: input.server, name: input.tool ?? input.resource ?? input.prompt ?? '' }
}
