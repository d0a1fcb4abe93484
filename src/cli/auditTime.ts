/** Times on a command line: `2026-01-16T19:11:22Z`, `2026-01-16`, or how long ago: `15m`, `2h`, `7d`, `1h30m`. */
import { instantOf as dateTimeInstant, isDay } from '../model/time.ts'
import { durationMs } from '../policy/durations.ts'
import { UsageError } from './exit.ts'

/** Milliseconds since 1970. Throws a `UsageError`. */
export function instantOf(option: string, text: string, now: number): number {
  const ago = durationMs(text)
  const at = ago === undefined ? calendarInstant(text) : now - ago
  if (at !== undefined && Number.isSafeInteger(at)) return at
  throw new UsageError(
    `\`${option}\` takes a time like \`2026-01-16T19:11:22Z\`, or how long ago, like \`15m\`, \`2h\` or \`7d\`, got \`${text}\``,
  )
}

/** A date alone is its midnight in UTC. */
function calendarInstant(text: string): number | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return dateTimeInstant(text)
  return isDay(text) ? Date.parse(text) : undefined
}
