/** Texts, names and numbers. Numbers are read from the text of the file, never through a binary fraction. */
import { exactMicroOf, survivesDouble, unitsText } from '../model/decimal.ts'
import { microMax, microPerUnit } from '../model/limits.ts'
import type { Scalar } from '../model/policy.ts'
import { quote, type Report, type Spot } from './diagnostics.ts'
import { type Form, found, mistake, oldYesNo } from './forms.ts'
import { labelCharsMax, textCharsMax } from './limits.ts'
import type { Node, ScalarNode } from './source.ts'

function textForm(says: string, charsMax: number, check: (text: string) => string | undefined): Form<string> {
  return {
    says,
    schema: { type: 'string', minLength: 1, maxLength: charsMax },
    read(node, label, report) {
      if (node.kind !== 'scalar' || typeof node.value !== 'string') return notText(node, label, says, report)
      const wrong = node.value.length > charsMax ? `has at most ${charsMax} characters` : check(node.value)
      if (wrong === undefined) return node.value
      report.error(node.at, 'wrong_value', `${label} ${wrong}, got ${found(node)}`)
      return undefined
    },
  }
}

function notText(node: Node, label: string, says: string, report: Report): undefined {
  const bare = node.kind === 'scalar' && node.text !== ''
  return mistake(node, label, says, report, bare ? ': put it in quotes' : '')
}

/** Sentences for people; line breaks are fine. */
export const text = textForm('text', textCharsMax, (value) => (value.trim() === '' ? 'must not be empty' : undefined))

/** Any text, also none. */
export const anyText: Form<string> = {
  says: 'text',
  schema: { type: 'string' },
  read(node, name, report) {
    if (node.kind === 'scalar' && typeof node.value === 'string') return node.value
    return notText(node, name, anyText.says, report)
  },
}

/** A name of our own records: one line, printable. */
export const label = textForm('text', labelCharsMax, labelFault)

function labelFault(value: string): string | undefined {
  if (value.trim() === '') return 'must not be empty'
  if (/\p{Cc}/u.test(value)) return 'must be one line without control characters'
  return undefined
}

/** A version: text, or a number as it is written, so that `1.10` stays `1.10`. */
export const version: Form<string> = {
  says: 'text',
  schema: { anyOf: [label.schema, { type: 'number' }] },
  read(node, name, report) {
    if (node.kind === 'scalar' && typeof node.value === 'number') return node.text
    return label.read(node, name, report)
  },
}

/** A number literal that everyone reads alike: `0777`, `1e3`, `0x1F`, `.5`, `+1` and `.inf` are not. */
const plainDecimal = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?$/

/** The text of a number; undefined, and reported, for what is none, or is written oddly. */
export function numberText(node: Node, name: string, says: string, report: Report): string | undefined {
  if (node.kind !== 'scalar' || typeof node.value !== 'number') return notNumber(node, name, says, report)
  if (plainDecimal.test(node.text)) return node.text
  return mistake(node, name, says, report, `: write it ${plainly(node)}`)
}

function notNumber(node: Node, name: string, says: string, report: Report): undefined {
  const quoted = node.kind === 'scalar' && typeof node.value === 'string' && plainDecimal.test(node.value)
  return mistake(node, name, says, report, quoted ? ': take the quotes off' : '')
}

function plainly({ value, text: written }: ScalarNode): string {
  const as = String(value)
  if (/^[+-]?0[0-9]/.test(written)) return `without the leading zero (YAML 1.1 reads it as octal)`
  return plainDecimal.test(as) ? `as ${quote(as)}` : 'as a plain decimal'
}

export function wholeNumber(min: number, max = Number.MAX_SAFE_INTEGER): Form<number> {
  const upTo = max === Number.MAX_SAFE_INTEGER ? '' : ` and at most ${max}`
  const says = `a whole number of at least ${min}${upTo}`
  return {
    says,
    schema: { type: 'integer', minimum: min, maximum: max },
    read(node, name, report) {
      const written = numberText(node, name, says, report)
      if (written === undefined) return undefined
      const value = Number(written)
      if (/^[0-9]+$/.test(written) && value >= min && value <= max) return value
      return mistake(node, name, says, report)
    },
  }
}

/** A number to compare with. */
export const number: Form<number> = {
  says: 'a number',
  schema: { type: 'number' },
  read(node, name, report) {
    const written = numberText(node, name, number.says, report)
    return written === undefined ? undefined : exactly(written, node.at, name, report)
  },
}

/** JSON numbers are doubles: a literal that is none would be compared as another number. */
function exactly(written: string, at: Spot, name: string, report: Report): number | undefined {
  // Adding zero turns -0, which JSON prints as 0, into 0.
  if (survivesDouble(written)) return Number(written) + 0
  report.error(at, 'wrong_value', `${name} must be a number that JSON carries exactly, got ${quote(written)}`)
  return undefined
}

/** An amount, as micro-units. */
export const amount: Form<number> = {
  says: 'an amount: a number, zero or more, with at most six decimals',
  schema: { type: 'number', minimum: 0, maximum: microMax / microPerUnit },
  read(node, name, report) {
    const written = numberText(node, name, amount.says, report)
    if (written === undefined) return undefined
    const micro = exactMicroOf(written)
    if (micro !== undefined) return micro
    const big = !written.startsWith('-') && !/\.[0-9]{6}0*[1-9]/.test(written)
    return mistake(node, name, big ? `at most ${unitsText(microMax)}` : amount.says, report)
  },
}

/** A value of JSON that is no list and no map. */
export const scalar: Form<{ readonly value: Scalar }> = {
  says: 'text, a number, `true`, `false` or `null`',
  schema: { type: ['string', 'number', 'boolean', 'null'] },
  read(node, name, report) {
    if (node.kind !== 'scalar') return mistake(node, name, scalar.says, report)
    if (node.text === '' && node.plain) return mistake(node, name, scalar.says, report, ': write `null` or `""`')
    if (typeof node.value === 'number') {
      const value = looksLikeText(node) ? oddNumber(node, name, report) : number.read(node, name, report)
      return value === undefined ? undefined : { value }
    }
    if (node.plain && oldYesNo.test(node.text)) report.warning(node.at, 'not_quoted', yesNo(node.text, name))
    if (node.plain && oldSixties.test(node.text)) report.warning(node.at, 'not_quoted', sixties(node.text, name))
    return { value: node.value }
  },
}

function looksLikeText({ text: written }: ScalarNode): boolean {
  return !plainDecimal.test(written)
}

function oddNumber(node: ScalarNode, name: string, report: Report): undefined {
  const says = `${name} must be written as a plain number or as text in quotes`
  report.error(node.at, 'wrong_value', `${says}, got ${quote(node.text)}, which YAML 1.2 reads as ${node.value}`)
}

/** A time to people, a number of base 60 to YAML 1.1. */
const oldSixties = /^[0-9]+(?::[0-5]?[0-9])+$/

function sixties(written: string, name: string): string {
  return `${name}: ${quote(written)} is text in YAML 1.2 and a number in older readers; put it in quotes`
}

function yesNo(written: string, name: string): string {
  return `${name}: ${quote(written)} is text in YAML 1.2; put it in quotes, or write \`true\` or \`false\``
}
