/** What a program hands in, as known fields. */
import { quoted } from '../model/message/quoted.ts'
import { NotACall } from './strictJson.ts'

export type Fields = Readonly<Record<string, unknown>>

/**
 * The fields that are given; one that is `undefined` is not. An unknown one is a spelling mistake, and says something.
 * Throws a `NotACall`.
 */
export function fieldsOf(value: unknown, keys: readonly string[], what: string): Fields {
  if (typeof value !== 'object' || value === null) throw new NotACall(`${what} must be an object`)
  const unknown = Object.keys(value).find((key) => !keys.includes(key))
  if (unknown !== undefined) throw new NotACall(`unknown key ${quoted(unknown)} in ${what}`)
  const given = keys.map((key) => [key, (value as Fields)[key]] as const).filter(([, field]) => field !== undefined)
  return Object.fromEntries(given)
}
