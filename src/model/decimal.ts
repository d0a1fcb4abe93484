/** Amounts: decimal outside, whole micro-units inside, never a binary fraction in between. */
import { microMax, microPerUnit } from './limits.ts'

/** A decimal as digits and a power of ten, without leading or trailing zeros: equal decimals have equal texts. */
interface Decimal {
  readonly negative: boolean
  readonly digits: string
  readonly exponent: number
}

const decimalPattern = /^(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?$/

function readDecimal(text: string): Decimal | undefined {
  const match = decimalPattern.exec(text)
  if (!match) return undefined
  const [, sign = '', whole = '', fraction = '', power = '0'] = match
  const significant = (whole + fraction).replace(/^0+/, '')
  const digits = significant.replace(/0+$/, '')
  if (digits === '') return { negative: false, digits: '0', exponent: 0 }
  return {
    negative: sign === '-',
    digits,
    exponent: Number(power) - fraction.length + significant.length - digits.length,
  }
}

/** Does a number literal mean to a double exactly what it says? `12345678901234567890` and `1e400` do not. */
export function survivesDouble(literal: string): boolean {
  const value = Number(literal)
  if (!Number.isFinite(value)) return false
  const said = readDecimal(literal)
  const kept = readDecimal(String(value))
  if (!said || !kept) return false
  return said.digits === kept.digits && said.exponent === kept.exponent && said.negative === kept.negative
}

/**
 * Micro-units of an amount, rounded up beyond six decimals; undefined for what no budget can count: not a number,
 * negative, not finite, or above `microMax`.
 */
export function microOf(value: unknown): number | undefined {
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) return undefined
  const decimal = readDecimal(String(value))
  if (!decimal) return undefined
  const { digits, exponent } = scaled(decimal)
  if (digits.length + exponent > 16) return undefined
  const micro = exponent >= 0 ? Number(digits) * 10 ** exponent : roundedUp(digits, -exponent)
  return micro <= microMax ? micro : undefined
}

/** Micro-units of an amount as a policy writes it, exact: undefined beyond six decimals too. */
export function exactMicroOf(literal: string): number | undefined {
  const decimal = readDecimal(literal)
  if (!decimal || decimal.negative) return undefined
  const { digits, exponent } = scaled(decimal)
  if (exponent < 0 || digits.length + exponent > 16) return undefined
  const micro = Number(digits) * 10 ** exponent
  return micro <= microMax ? micro : undefined
}

function scaled({ digits, exponent }: Decimal): { digits: string; exponent: number } {
  return digits === '0' ? { digits, exponent: 0 } : { digits, exponent: exponent + 6 }
}

function roundedUp(digits: string, dropped: number): number {
  return Number(digits.slice(0, Math.max(0, digits.length - dropped)) || '0') + 1
}

/** `12.5` for 12500000 micro-units. */
export function unitsText(micro: number): string {
  if (micro < 0) return `-${unitsText(-micro)}`
  const whole = Math.floor(micro / microPerUnit)
  const rest = micro % microPerUnit
  return rest === 0 ? String(whole) : `${whole}.${String(rest).padStart(6, '0').replace(/0+$/, '')}`
}
