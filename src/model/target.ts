/** What an input document is about. */
import type { Input } from './call.ts'
import type { Target } from './match.ts'

export function targetOf(input: Pick<Input, 'method' | 'server' | 'tool' | 'resource' | 'prompt'>): Target {
  return { method: input.method, server: input.server, name: input.tool ?? input.resource ?? input.prompt ?? '' }
}
