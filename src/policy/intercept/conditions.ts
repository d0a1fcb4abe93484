/** `path`, `op`, `value`: a condition on an argument, or on what a counter stands at. */

import { microPerUnit } from '../../model/limits.ts'
import type { Condition, Path, Scalar, Span, Test } from '../../model/policy.ts'
import { only, outside } from '../../model/spans.ts'
import { literal, quote, type Report, type Spot } from '../diagnostics.ts'
import { expression } from '../expressions.ts'
import { choice, type FieldsOf, type Filled, type Form, flag, mistake, record } from '../forms.ts'
import { listItemsMax } from '../limits.ts'
import { number, text } from '../scalars.ts'
import type { Node } from '../source.ts'
import { equalsOf } from './printing.ts'

const anything: Form<Node> = { says: 'a value', schema: {}, read: (node) => node }

export const conditionKeys = {
  path: {
    form: text,
    about:
      'An argument, `args.amount` or `args.transfer.amount`, or a counter, `state.TOOL.COUNTER` or `state._global.COUNTER`.',
    required: 'say what is compared, for example `args.amount`',
  },
  op: {
    form: choice('eq', 'neq', 'in', 'not_in', 'lt', 'lte', 'gt', 'gte', 'regex', 'contains', 'exists'),
    about: 'How it is compared.',
    required: 'say how it is compared, for example `lte`',
  },
  value: { form: anything, about: 'What it is compared with.', required: 'say what it is compared with' },
} as const

export const conditionForm = record('a condition: a map with `path`, `op` and `value`', conditionKeys, {
  owner: 'a condition',
})

export type WrittenCondition = Filled<FieldsOf<typeof conditionKeys>>

export type Op = 'eq' | 'neq' | 'in' | 'not_in' | 'lt' | 'lte' | 'gt' | 'gte' | 'regex' | 'contains' | 'exists'
export type Bound = 'lt' | 'lte' | 'gt' | 'gte'

/** What a condition asks: of the arguments, or of a counter that the file calls by `name`. */
export type Asked =
  | { readonly about: 'argument'; readonly condition: Condition }
  | { readonly about: 'counter'; readonly name: string; readonly at: Spot; readonly wanted: Wanted }

/** What a counter must stand at, in its own unit. */
export type Wanted =
  | { readonly op: Bound; readonly value: number }
  | { readonly op: 'eq' | 'neq'; readonly values: readonly number[] }
  | { readonly op: 'always' | 'never' }

export function askedBy({ fields }: WrittenCondition, report: Report): Asked | undefined {
  const { path, op, value } = fields
  const test = op?.value && value?.value && testOf(op.value, value.value, report)
  if (path?.value === undefined) return undefined
  if (path.value.startsWith('args.')) {
    const keys = argumentPath(path.value, path.at, report)
    const condition: Condition | undefined = keys && test && { path: keys, optional: false, test }
    if (condition) report.locate(condition, path.keyAt)
    return condition && { about: 'argument', condition }
  }
  if (path.value.startsWith('state.')) {
    const wanted = test && wantedBy(test, path.at, report)
    return wanted && { about: 'counter', name: path.value.slice('state.'.length), at: path.at, wanted }
  }
  const says = '`path` must begin with `args.` or `state.`'
  report.error(path.at, 'wrong_value', `${says}, got ${literal(path.value)}`)
  return undefined
}

/** Dots descend, and nothing takes that from them: an argument whose name has one cannot be reached. */
export function argumentPath(written: string, at: Spot, report: Report): Path | undefined {
  const keys = written.slice('args.'.length).split('.')
  if (keys.includes(''))
    report.error(at, 'wrong_value', `a dot in a path stands between two names, got ${quote(written)}`)
  else if (/\p{Cc}/u.test(written))
    report.error(at, 'bad_name', `a path must not have control characters, got ${quote(written)}`)
  else return keys
  return undefined
}

const label = '`value`'

function testOf(op: Op, node: Node, report: Report): Test | undefined {
  switch (op) {
    case 'eq':
    case 'neq': {
      const values = equalsOf(node, label, report)
      return values && { kind: 'one_of', values, negated: op === 'neq' }
    }
    case 'in':
    case 'not_in': {
      const values = listed(node, op, report)
      return values && { kind: 'one_of', values, negated: op === 'not_in' }
    }
    case 'lt':
    case 'lte':
    case 'gt':
    case 'gte': {
      const bound = number.read(node, label, report)
      return bound === undefined ? undefined : rangeOf(op, bound)
    }
    case 'regex': {
      const pattern = expression.read(node, label, report)
      return pattern === undefined ? undefined : { kind: 'search', pattern }
    }
    case 'contains': {
      const values = equalsOf(node, label, report)
      const inText = node.kind === 'scalar' && typeof node.value === 'string' ? { text: node.value } : {}
      return values && { kind: 'contains', ...inText, values }
    }
    case 'exists': {
      const there = flag.read(node, label, report)
      return there === undefined ? undefined : { kind: 'exists', there }
    }
  }
  return op satisfies never
}

function listed(node: Node, op: Op, report: Report): Scalar[] | undefined {
  if (node.kind !== 'list') return mistake(node, label, `a list, where \`op\` is \`${op}\``, report)
  if (node.items.length > listItemsMax) {
    report.error(node.at, 'too_large', `${label} has at most ${listItemsMax} values`)
    return undefined
  }
  const values = node.items.map((item) => equalsOf(item, `each of ${label}`, report))
  if (!values.every((equal) => equal !== undefined)) return undefined
  return [...new Set(values.flat())]
}

function rangeOf(op: Bound, value: number): Test {
  switch (op) {
    case 'lt':
      return { kind: 'range', below: value }
    case 'lte':
      return { kind: 'range', max: value }
    case 'gt':
      return { kind: 'range', above: value }
    case 'gte':
      return { kind: 'range', min: value }
  }
  return op satisfies never
}

/** The same test, of a number that is always there. */
function wantedBy(test: Test, at: Spot, report: Report): Wanted | undefined {
  switch (test.kind) {
    case 'range':
      return boundOf(test)
    case 'one_of':
      return {
        op: test.negated ? 'neq' : 'eq',
        values: test.values.filter((value) => typeof value === 'number'),
      }
    case 'exists':
      if (test.there) return { op: 'always' }
      break
    default:
  }
  report.warning(at, 'never_counts', 'a counter is a number and is always there: this never holds')
  return { op: 'never' }
}

function boundOf({ below, max, above, min }: Extract<Test, { kind: 'range' }>): Wanted | undefined {
  if (below !== undefined) return { op: 'lt', value: below }
  if (max !== undefined) return { op: 'lte', value: max }
  if (above !== undefined) return { op: 'gt', value: above }
  return min === undefined ? undefined : { op: 'gte', value: min }
}

/** `micro`: the counter holds micro-units, and the policy speaks of whole ones. */
export function spansOf(wanted: Wanted, micro: boolean): readonly Span[] {
  const unit = (value: number) => (micro ? micros(value) : value)
  switch (wanted.op) {
    case 'lt':
      return [{ max: within(Math.ceil(unit(wanted.value)) - 1) }]
    case 'lte':
      return [{ max: within(Math.floor(unit(wanted.value))) }]
    case 'gt':
      return [{ min: within(Math.floor(unit(wanted.value)) + 1) }]
    case 'gte':
      return [{ min: within(Math.ceil(unit(wanted.value))) }]
    case 'eq':
    case 'neq': {
      const values = only(wanted.values.map(unit).filter(Number.isSafeInteger))
      return wanted.op === 'eq' ? values : outside(values)
    }
    case 'always':
      return [{}]
    case 'never':
      return []
  }
  return wanted satisfies never
}

/** By the decimal point, not by multiplying: `0.29 * 1e6` is no whole number. */
function micros(value: number): number {
  return Number(value.toExponential().replace(/e(.*)$/, (_, power) => `e${Number(power) + Math.log10(microPerUnit)}`))
}

/** Counters stay exact integers, so a bound beyond them is as good at their end. */
function within(value: number): number {
  return Math.max(Number.MIN_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, value))
}
