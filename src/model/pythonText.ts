/**
 * An argument as the text that Python makes of it, for patterns that were written for Python. Numbers are those that the
 * gate sends on: what it prints without a point is an integer there.
 */
import type { Json } from './canonical.ts'

export function pythonText(value: Json): string {
  return typeof value === 'string' ? value : repr(value)
}

function repr(value: Json): string {
  if (value === null) return 'None'
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (typeof value === 'number') return numberText(value)
  if (typeof value === 'string') return quotedText(value)
  if (Array.isArray(value)) return `[${value.map((item) => repr(item as Json)).join(', ')}]`
  const members = Object.entries(value).map(([key, member]) => `${quotedText(key)}: ${repr(member as Json)}`)
  return `{${members.join(', ')}}`
}

/** Python writes exponents below 1e-4, with two digits or more; JavaScript below 1e-6. */
function numberText(value: number): string {
  const printed = JSON.stringify(value)
  const small = value !== 0 && Math.abs(value) < 1e-4
  const [digits = '', power] = (small ? value.toExponential() : printed).split('e')
  if (power === undefined) return digits
  const sign = power.startsWith('-') ? '-' : '+'
  return `${digits}e${sign}${power.replace(/^[+-]/, '').padStart(2, '0')}`
}

function quotedText(text: string): string {
  const mark = text.includes("'") && !text.includes('"') ? '"' : "'"
  return `${mark}${[...text].map((char) => escapedChar(char, mark)).join('')}${mark}`
}

const named: ReadonlyMap<string, string> = new Map([
  ['\\', '\\\\'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
])

function escapedChar(char: string, mark: string): string {
  if (char === mark) return `\\${char}`
  const name = named.get(char)
  if (name !== undefined) return name
  if (char === ' ' || !/[\p{C}\p{Z}]/u.test(char)) return char
  const code = (char.codePointAt(0) as number).toString(16)
  if (code.length <= 2) return `\\x${code.padStart(2, '0')}`
  return code.length <= 4 ? `\\u${code.padStart(4, '0')}` : `\\U${code.padStart(8, '0')}`
}
