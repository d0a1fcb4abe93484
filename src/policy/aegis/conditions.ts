/** The conditions of an Aegis rule. All must hold, in the order of the file; `semantic` is asked last. */
import type { Json } from '../../model/canonical.ts'
import type { OrderedCondition, TextPattern } from '../../model/ordered.ts'
import { quote, type Report, type Spot } from '../diagnostics.ts'
import { type FieldsOf, type Filled, type Form, type Located, listOf, mistake, type Named, record } from '../forms.ts'
import { patternCharsMax, patternCostNoted } from '../limits.ts'
import { translate } from '../python/translate.ts'
import { text, wholeNumber } from '../scalars.ts'
import type { MapNode } from '../source.ts'
import { wordsOf } from './semantic.ts'
import { anyValue, isNameInBoth, textInBoth } from './yaml11.ts'

/** `HH:MM`, as minutes of the day. */
const clock: Form<number> = {
  says: 'a time of the day in UTC as text, `"HH:MM"`',
  schema: { type: 'string', pattern: '^(?:[01]?[0-9]|2[0-3]):[0-5]?[0-9]$' },
  read(node, label, report) {
    const written = textInBoth(text).read(node, label, report)
    if (written === undefined) return undefined
    const [, hour, minute] = /^(\d{1,2}):(\d{1,2})$/.exec(written.trim()) ?? []
    if (hour === undefined || Number(hour) > 23 || Number(minute) > 59) return mistake(node, label, clock.says, report)
    return Number(hour) * 60 + Number(minute)
  },
}

/** Argument names with what each is compared with. */
function byName<T>(form: Form<T>, says: string): Form<readonly (Named<T> & { readonly at: Spot })[]> {
  return {
    says,
    schema: { type: 'object', additionalProperties: form.schema, minProperties: 1 },
    read(node, label, report) {
      if (node.kind !== 'map' || node.entries.length === 0) return mistake(node, label, says, report)
      const read = (node as MapNode).entries.map((entry) => {
        const named = isNameInBoth(entry, report)
        const value = form.read(entry.value, quote(entry.key), report)
        return named && value !== undefined
          ? { name: entry.key, nameAt: entry.keyAt, value, at: entry.value.at }
          : undefined
      })
      return read.every((one) => one !== undefined) ? read : undefined
    },
  }
}

/** A value that an argument can be, or that can be in one. */
const comparable: Form<{ readonly value: Json }> = {
  ...anyValue,
  read(node, label, report) {
    const read = anyValue.read(node, label, report)
    if (read?.value !== null) return read
    return mistake(node, label, anyValue.says, report, ': an argument that is missing or null meets no condition')
  },
}

/** What Python can order. */
const orderable: Form<{ readonly value: Json }> = {
  says: 'a number, text, `true`, `false` or a list',
  schema: { type: ['number', 'string', 'boolean', 'array'] },
  read(node, label, report) {
    const read = comparable.read(node, label, report)
    const isMap = read && typeof read.value === 'object' && !Array.isArray(read.value)
    return isMap ? mistake(node, label, orderable.says, report) : read
  },
}

export const pattern: Form<TextPattern> = {
  says: 'a regular expression as text',
  schema: { type: 'string', maxLength: patternCharsMax },
  read(node, label, report) {
    if (node.kind !== 'scalar' || typeof node.value !== 'string') return mistake(node, label, pattern.says, report)
    const read = translate(node.value)
    if ('fault' in read) {
      report.error(node.at, 'wrong_value', `${label} ${read.fault}`)
      return undefined
    }
    if (read.cost > patternCostNoted)
      report.warning(node.at, 'expensive', `${label} takes milliseconds to compile, on every call`)
    if (read.pattern.wide === undefined)
      report.warning(node.at, 'ascii_only', `${label} can judge text in ASCII alone: ${asciiAlone}`)
    return read.pattern
  },
}

const asciiAlone =
  'a call with other text is refused (put `(?a)` before the pattern, if its `\\b` and `\\w` need no other letters)'

const semantic: Form<readonly string[]> = {
  says: 'text with words to look for, or a category',
  schema: { type: 'string', minLength: 1 },
  read(node, label, report) {
    const written = textInBoth(text).read(node, label, report)
    if (written === undefined) return undefined
    const words = wordsOf(written)
    return words.length > 0 ? words : mistake(node, label, semantic.says, report, ': no word is left to look for')
  },
}

const values = byName(comparable, 'a map of arguments and values')
const bounds = byName(orderable, 'a map of arguments and what they are compared with')

export const conditionKeys = {
  time_after: { form: clock, about: 'From this time of the day on, UTC.' },
  time_before: { form: clock, about: 'Before this time of the day, UTC.' },
  weekdays: {
    form: listOf(wholeNumber(1, 7), 'a list of weekdays, Monday 1 to Sunday 7'),
    about: 'On these days of the week, Monday 1 to Sunday 7, UTC.',
  },
  param_eq: { form: values, about: 'The argument equals the value.' },
  param_gt: { form: bounds, about: 'The argument is greater.' },
  param_lt: { form: bounds, about: 'The argument is less.' },
  param_gte: { form: bounds, about: 'The argument is greater or equal.' },
  param_lte: { form: bounds, about: 'The argument is less or equal.' },
  param_contains: { form: values, about: 'The value is part of the text, an element of the list or a key of the map.' },
  param_matches: {
    form: byName(pattern, 'a map of arguments and regular expressions'),
    about: 'The regular expression has a match in the argument as text.',
  },
  semantic: { form: semantic, about: 'One of the words is a word of the call.' },
} as const

export const conditionsForm = record('a map of conditions', conditionKeys, { owner: '`conditions`' })

type WrittenConditions = FieldsOf<typeof conditionKeys>

/** In the order in which they are asked. */
export function conditionsOf({ fields }: Filled<WrittenConditions>, report: Report): readonly OrderedCondition[] {
  reportOvernight(fields, report)
  const names = Object.keys(fields) as (keyof WrittenConditions)[]
  const ordered = [...names.filter((name) => name !== 'semantic'), ...names.filter((name) => name === 'semantic')]
  return ordered.flatMap((name) => conditionOf(name, fields))
}

function conditionOf(name: keyof WrittenConditions, fields: WrittenConditions): readonly OrderedCondition[] {
  switch (name) {
    case 'time_after':
    case 'time_before': {
      const minute = fields[name]?.value
      return minute === undefined ? [] : [{ kind: name === 'time_after' ? 'after' : 'before', minute }]
    }
    case 'weekdays': {
      const days = fields.weekdays?.value?.map(({ value }: Located<number>) => value)
      return days ? [{ kind: 'weekdays', days: [...new Set(days)].sort() }] : []
    }
    case 'param_matches':
      return (fields.param_matches?.value ?? []).map(({ name, value }) => ({ kind: 'matches', name, pattern: value }))
    case 'param_contains':
      return (fields.param_contains?.value ?? []).map(({ name, value }) => ({ kind: 'contains', name, ...value }))
    case 'semantic':
      return fields.semantic?.value ? [{ kind: 'words', words: fields.semantic.value }] : []
    default: {
      const by = comparisons[name]
      return (fields[name]?.value ?? []).map(({ name, value }) => ({ kind: 'compare', by, name, ...value }))
    }
  }
}

const comparisons = { param_eq: 'eq', param_gt: 'gt', param_lt: 'lt', param_gte: 'gte', param_lte: 'lte' } as const

function reportOvernight({ time_after: after, time_before: before }: WrittenConditions, report: Report): void {
  if (after?.value === undefined || before?.value === undefined || after.value < before.value) return
  report.warning(
    after.keyAt,
    'never_matches',
    '`time_after` and `time_before` must both hold, and no time is both: write a rule for the evening and one for the morning',
  )
}
