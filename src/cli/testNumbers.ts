/** Shares that options ask for. */
import { UsageError } from './exit.ts'

/** Throws a `UsageError`. */
export function numberUpTo(max: number, option: string, text: string): number {
  const value = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : Number.NaN
  if (value <= max) return value
  throw new UsageError(`\`${option}\` must be a number from 0 to ${max}, got \`${text}\``)
}
