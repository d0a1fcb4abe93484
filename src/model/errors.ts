/** An error is a code, a sentence and a cause. Codes are rows in `docs/errors.md`. */

export class TollgateError extends Error {
  override readonly name: string = 'TollgateError'
  readonly code: string

  constructor(code: string, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}

/** The text of whatever was thrown; the WASM host and old libraries throw bare strings. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}
