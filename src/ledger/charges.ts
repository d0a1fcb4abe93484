/** What a call has taken from a counter, and from which window: enough to give it back. */

export interface Charge {
  readonly key: string
  /** A `fixed` window (or total) by its first instant, an event of a `sliding` one by its own instant. */
  readonly kind: 'fixed' | 'sliding'
  readonly at: number
  /** Calls or micro-units. */
  readonly amount: number
}

/** Amounts are whole, not negative, and exact in JavaScript, SQLite and the WASM. */
export function checkAmount(amount: number): void {
  if (!Number.isSafeInteger(amount) || amount < 0)
    throw new TypeError(`an amount is a safe integer, zero or more, got ${amount}`)
}
