/**
 * `eq`, `neq`, `in`, `not_in` and `contains` compare as Intercept does: two numbers as numbers, everything else by how Go
 * prints it. Which values of JSON print as a value of the policy is worked out here, once, when the file is read.
 */
import type { Scalar } from '../../model/policy.ts'
import { quote, type Report } from '../diagnostics.ts'
import { found } from '../forms.ts'
import { scalar } from '../scalars.ts'
import type { Node, ScalarNode } from '../source.ts'

/** What a list of the policy may not hold, and `value` may not be. */
const compared = 'text, a number, `true`, `false` or `null`'

/** The values of an argument that equal a value of the policy. Undefined, and reported, for what cannot be compared. */
export function equalsOf(node: Node, label: string, report: Report): readonly Scalar[] | undefined {
  if (node.kind !== 'scalar') {
    const why = 'Intercept compares the prints of two lists or maps, which many different ones share'
    report.error(node.at, 'wrong_value', `${label} must be ${compared}, got ${found(node)}: ${why}`)
    return undefined
  }
  if (node.plain && typeof node.value === 'string' && reportReadOtherwise(node, label, report)) return undefined
  const read = scalar.read(node, label, report)
  if (read === undefined) return undefined
  const { value } = read
  if (typeof value === 'number' && Math.abs(value) >= int64End) {
    report.error(node.at, 'wrong_value', `${label} must be a number below 2^63, got ${quote(node.text)}`)
    return undefined
  }
  return [...new Set(equals(value, /^-?[0-9]+$/.test(node.text)))]
}

/** Words without quotes that are text here and something else to the YAML library of Intercept. */
const otherwise: readonly (readonly [RegExp, string])[] = [
  [/^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:$|[Tt ])/, 'a point in time'],
  [/^[-+]?(?:0b[01_]+|[0-9][0-9_]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9]+)?)$/, 'a number'],
]

function reportReadOtherwise(node: ScalarNode, label: string, report: Report): boolean {
  const [, what] = otherwise.find(([pattern]) => pattern.test(node.text)) ?? []
  if (what === undefined) return false
  const words = `${label} ${quote(node.text)} is text here and ${what} to Intercept: put it in quotes if text is meant`
  report.error(node.at, 'wrong_value', words)
  return true
}

/** Go's YAML library reads such a whole number as another type, which it compares with no number. */
const int64End = 2 ** 63

function equals(value: Scalar, whole: boolean): readonly Scalar[] {
  if (value === null) return [null, '<nil>']
  if (typeof value === 'boolean') return [value, String(value)]
  if (typeof value === 'number') return [value, whole ? BigInt(value).toString() : printed(value)]
  return [value, ...printedAs(value)]
}

/** What else than the text itself prints as the text. */
function printedAs(text: string): readonly Scalar[] {
  if (text === 'true' || text === 'false') return [text === 'true']
  if (text === '<nil>') return [null]
  const number = Number(text)
  return text !== '' && text !== '-0' && Number.isFinite(number) && printed(number) === text ? [number] : []
}

/** A number of JSON as Go's `%v` prints it: `5`, `0.25`, and from a million on `1e+06`. */
export function printed(number: number): string {
  const [digits = '', power = ''] = number.toExponential().split('e')
  const exponent = Number(power)
  // In this range JavaScript writes all digits out too, and the same ones: the fewest that mean this number.
  if (number === 0 || (exponent >= -4 && exponent < 6)) return String(number)
  return `${digits}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`
}
