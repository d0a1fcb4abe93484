/** Windows of time, UTC. Instants are milliseconds since 1970. */
import type { CalendarUnit, Window } from './policy.ts'

const unitMs = { second: 1_000, minute: 60_000, hour: 3_600_000, day: 86_400_000 } as const

/** Monday 1970-01-05: ISO weeks start on Mondays. */
const firstMonday = 4 * unitMs.day

/** With its zone, so that the same text means the same instant everywhere (RFC 3339, section 5.6). */
const dateTime =
  /^(\d{4}-\d{2}-\d{2})[Tt](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/

/** The instant that an RFC 3339 date-time names; undefined for anything else, also for a day that no month has. */
export function instantOf(text: string): number | undefined {
  const day = dateTime.exec(text)?.[1]
  const at = day !== undefined && isDay(day) ? Date.parse(text) : Number.NaN
  return Number.isNaN(at) ? undefined : at
}

let lastInstant = { at: 0, text: '1970-01-01T00:00:00.000Z' }

/** As RFC 3339 in UTC, with milliseconds. All of one transaction has one instant, so the last text is remembered. */
export function instantText(at: number): string {
  if (at !== lastInstant.at) lastInstant = { at, text: new Date(at).toISOString() }
  return lastInstant.text
}

/** Is `YYYY-MM-DD` a day? JavaScript takes the 30th of February for the 2nd of March. */
export function isDay(day: string): boolean {
  const at = Date.parse(`${day}T00:00:00Z`)
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(day)
}

/** The start of the window that an instant lies in: 0 for a total, the instant itself less its length for a sliding one. */
export function windowStart(window: Window, at: number): number {
  switch (window.kind) {
    case 'fixed':
      return calendarStart(window.unit, at)
    case 'sliding':
      return at - window.ms
    case 'total':
      return 0
  }
  return window satisfies never
}

function calendarStart(unit: CalendarUnit, at: number): number {
  if (unit === 'month') return Date.UTC(new Date(at).getUTCFullYear(), new Date(at).getUTCMonth(), 1)
  if (unit === 'week') return at - mod(at - firstMonday, 7 * unitMs.day)
  return at - mod(at, unitMs[unit])
}

/** The first instant after a calendar window. */
export function calendarEnd(unit: CalendarUnit, at: number): number {
  const start = calendarStart(unit, at)
  if (unit === 'month') return Date.UTC(new Date(start).getUTCFullYear(), new Date(start).getUTCMonth() + 1, 1)
  return start + (unit === 'week' ? 7 * unitMs.day : unitMs[unit])
}

function mod(value: number, by: number): number {
  return ((value % by) + by) % by
}
