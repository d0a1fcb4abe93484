/** What a record says, read back from its text. `describe.ts` wrote it, but the file it lay in may have been changed. */
import { TollgateError } from '../model/errors.ts'
import type { StoredRecord } from '../model/ledger.ts'

export type Body = Readonly<Record<string, unknown>>

/** Throws `record_unreadable`. */
export function bodyOf({ seq, body }: StoredRecord): Body {
  const read = objectFrom(body)
  if (!read) throw new TollgateError('record_unreadable', `the body of record ${seq} is no JSON object`)
  return read
}

/** RFC 3339 in UTC, with milliseconds. Throws `record_unreadable`. */
export function timeOf({ seq, at }: StoredRecord): string {
  const time = new Date(at)
  if (!Number.isNaN(time.getTime())) return time.toISOString()
  throw new TollgateError('record_unreadable', `the time of record ${seq} is none: ${at}`)
}

/** A member that is a text; null where it is missing or anything else. */
export function textIn(body: Body, key: string): string | null {
  const value = body[key]
  return typeof value === 'string' ? value : null
}

/** A member that is an object; an empty one where it is missing or anything else. */
export function objectIn(body: Body, key: string): Body {
  return objectOf(body[key]) ?? {}
}

function objectFrom(text: string): Body | undefined {
  try {
    return objectOf(JSON.parse(text))
  } catch {
    return undefined // said by the caller, who knows which record it is
  }
}

function objectOf(value: unknown): Body | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Body) : undefined
}
