/** Times on a command line: `2026-01-16T19:11:22Z`, `2026-01-16`, or how long ago: `15m`, `2h`, `7d`, `1h30m`. */
import { durationMs } from '../policy/durations.ts'
import { UsageError } from './exit.ts'

// RFC 3339, and a date alone, which is its midnight in UTC.
const pattern =
  /^(\d{4}-\d{2})-(\d{2})(?:[Tt ](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d))?$/

/** Milliseconds since 1970. Throws a `UsageError`. */
export function instantOf(option: string, text: string, now: number): number {
  const ago = durationMs(text)
  const at = ago === undefined ? calendarInstant(text) : now - ago
  if (at !== undefined && Number.isSafeInteger(at)) return at
  throw new UsageError(
    `\`${option}\` takes a time like \`2026-01-16T19:11:22Z\`, or how long ago, like \`15m\`, \`2h\` or \`7d\`, got \`${text}\``,
  )
}

function calendarInstant(text: string): number | undefined {
  const [found, month, day] = pattern.exec(text) ?? []
  if (found === undefined || Number(day) < 1 || Number(day) > daysIn(month as string)) return undefined
  const at = Date.parse(text)
  return Number.isNaN(at) ? undefined : at
}

/** `Date.parse` takes the 30th of February for the 2nd of March. */
function daysIn(month: string): number {
  const [year, number] = month.split('-').map(Number) as [number, number]
  return new Date(Date.UTC(year, number, 0)).getUTCDate()
}
