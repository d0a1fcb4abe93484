/**
 * Aegis reads its files as YAML 1.1 (PyYAML), we read them as YAML 1.2. A plain value that the two take for different
 * things is refused: whoever wrote it meant one of them.
 */
import type { Json } from '../../model/canonical.ts'
import { literal, quote, type Report } from '../diagnostics.ts'
import { type Form, mistake } from '../forms.ts'
import { number } from '../scalars.ts'
import type { MapEntry, Node, ScalarNode } from '../source.ts'

/** What PyYAML makes of a plain text, where that is no text. */
const readings: readonly (readonly [RegExp, string])[] = [
  [/^(?:yes|Yes|YES|on|On|ON)$/, '`true`'],
  [/^(?:no|No|NO|off|Off|OFF)$/, '`false`'],
  [/^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/, 'a number to the base of 60'],
  [/^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt]|[ \t]+[0-9]|$)/, 'a date'],
  [/^[-+]?(?:0b[01_]+|0x[0-9a-fA-F_]+|0[0-7_]+|[1-9][0-9_]*)$/, 'a number'],
  [/^[-+]?(?:[0-9][0-9_]*)?\.[0-9_]*(?:[eE][-+][0-9]+)?$/, 'a number'],
  [/^=$/, 'a sign of its own'],
]

function reading(text: string): string | undefined {
  if (text === '.' || text === '-.' || text === '+.' || /^\.[_]/.test(text)) return undefined
  // A leading zero keeps a clock time from being a number: `09:30` is text, `18:00` is not.
  if (/^0[0-9]*:/.test(text)) return undefined
  return readings.find(([pattern]) => pattern.test(text))?.[1]
}

/** Reports a plain text that is none in YAML 1.1. */
function isTextInBoth({ value, text, plain, at }: ScalarNode, label: string, report: Report): boolean {
  const other = plain && typeof value === 'string' ? reading(text) : undefined
  if (other === undefined) return true
  report.error(at, 'foreign_yaml', `${label}: Aegis reads ${quote(text)} as ${other}, put it in quotes`, {
    suggestion: literal(text).replaceAll('`', ''),
  })
  return false
}

/** A text that is one in both. */
export function textInBoth(form: Form<string>): Form<string> {
  return {
    ...form,
    read(node, label, report) {
      if (node.kind === 'scalar' && !isTextInBoth(node, label, report)) return undefined
      return form.read(node, label, report)
    },
  }
}

/** Reports a key that is no text in YAML 1.1, and so would be the name of nothing. */
export function isNameInBoth({ key, keyAt, plain }: MapEntry, report: Report): boolean {
  const word = /^(?:true|True|TRUE|false|False|FALSE|null|Null|NULL|~)$/.test(key) ? 'no text' : undefined
  const zero = /^[-+]?0$/.test(key) ? 'a number' : undefined
  const other = plain ? (word ?? zero ?? reading(key)) : undefined
  if (other === undefined) return true
  report.error(keyAt, 'foreign_yaml', `Aegis reads the name ${quote(key)} as ${other}, put it in quotes`)
  return false
}

/** Any value of JSON. Boxed: null is a value. */
export const anyValue: Form<{ readonly value: Json }> = {
  says: 'text, a number, `true`, `false`, a list or a map',
  schema: {},
  read(node, label, report) {
    const value = jsonOf(node, label, report)
    return value === undefined ? undefined : { value }
  },
}

function jsonOf(node: Node, label: string, report: Report): Json | undefined {
  if (node.kind === 'scalar') return scalarOf(node, label, report)
  if (node.kind === 'list') {
    const items = node.items.map((item) => jsonOf(item, label, report))
    return items.every((item) => item !== undefined) ? items : undefined
  }
  const members = node.entries.map((entry): [string, Json | undefined] => [
    entry.key,
    isNameInBoth(entry, report) ? jsonOf(entry.value, label, report) : undefined,
  ])
  return members.every(([, value]) => value !== undefined) ? (Object.fromEntries(members) as Json) : undefined
}

function scalarOf(node: ScalarNode, label: string, report: Report): Json | undefined {
  if (typeof node.value === 'number') return number.read(node, label, report)
  if (node.plain && node.text === '') return mistake(node, label, anyValue.says, report, ': write `null` or `""`')
  return isTextInBoth(node, label, report) ? node.value : undefined
}
