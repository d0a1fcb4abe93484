/** The server's JSON, parsed so that printing it again gives the same numbers: `12345678901234567890` stays that. */
import { survivesDouble } from '../model/decimal.ts'

interface ExactJson {
  parse(text: string, reviver: (key: string, value: unknown, context: { source?: string }) => unknown): unknown
  rawJSON(text: string): unknown
}

/** Both are in Node 22 (V8 11.4), not yet in TypeScript's library. */
const { parse, rawJSON } = JSON as unknown as ExactJson

/** Longer literals are kept as text without a look at them. */
const comparedCharsMax = 400

/** Throws what `JSON.parse` throws. Numbers that a double would change are opaque values which print as they stood. */
export function parseExactly(text: string): unknown {
  return parse(text, (_key, value, { source }) => {
    if (typeof value !== 'number' || source === undefined) return value
    return source.length <= comparedCharsMax && survivesDouble(source) ? value : rawJSON(source)
  })
}
