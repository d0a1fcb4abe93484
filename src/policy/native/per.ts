/** What limits are counted by: `per: user`, `per: [agent, arguments.account]`, `per: all`. */
import { type PerField, perText } from '../../model/policy.ts'
import { literal, oneOf, quote, type Report, type Spot } from '../diagnostics.ts'
import { type Form, type Located, misspelt, mistake, oneOrMore } from '../forms.ts'
import { readPath } from '../paths.ts'

const words = ['all', 'agent', 'user', 'project', 'session', 'server', 'tool'] as const
type Word = (typeof words)[number]

const says = `${oneOf([...words, 'arguments.<path>'])}`

const one: Form<PerField | 'all'> = {
  says,
  schema: { anyOf: [{ enum: words }, { type: 'string', pattern: '^arguments\\..' }] },
  read(node, label, report) {
    if (node.kind !== 'scalar' || typeof node.value !== 'string') return mistake(node, label, says, report)
    const word = words.find((w) => w === node.value)
    if (word) return fieldOf(word)
    if (!node.value.startsWith('arguments.')) return misspelt(node, label, says, report, words)
    const path = readPath(node.value.slice('arguments.'.length), node.at, report)
    return path && { kind: 'argument', path }
  },
}

function fieldOf(word: Word): PerField | 'all' {
  switch (word) {
    case 'all':
      return 'all'
    case 'agent':
    case 'user':
    case 'project':
      return { kind: 'principal', field: word }
    case 'session':
    case 'server':
    case 'tool':
      return { kind: word }
  }
  return word satisfies never
}

const several = oneOrMore(one)

/** In one order however it is written, so that the counter stays the same. */
export const per: Form<readonly PerField[]> = {
  says: several.says,
  schema: several.schema,
  read(node, label, report) {
    const fields = several.read(node, label, report)
    if (fields === undefined) return undefined
    reportOdd(fields, label, report)
    return fields
      .flatMap(({ value }) => (value === 'all' ? [] : [value]))
      .sort((a, b) => rank(a) - rank(b) || byText(a, b))
  },
}

const order = ['agent', 'user', 'project', 'session', 'server', 'tool']

function rank(field: PerField): number {
  return field.kind === 'argument' ? order.length : order.indexOf(perText(field))
}

function byText(a: PerField, b: PerField): number {
  return perText(a) < perText(b) ? -1 : 1
}

function reportOdd(fields: readonly Located<PerField | 'all'>[], label: string, report: Report): void {
  const seen = new Set<string>()
  for (const { value, at } of fields) {
    const text = value === 'all' ? 'all' : perText(value)
    if (seen.has(text)) report.error(at, 'contradiction', `${label} names ${quote(text)} twice`)
    if (text === 'all' && fields.length > 1)
      report.error(at, 'contradiction', `${label} is \`all\` or names what to count by, not both`)
    seen.add(text)
  }
}

/** Resources have no arguments to count by. */
export function reportArguments(fields: readonly PerField[], at: Spot, report: Report): void {
  for (const field of fields)
    if (field.kind === 'argument')
      report.error(at, 'misplaced_key', `a resource has no arguments, got ${literal(perText(field))}`)
}
