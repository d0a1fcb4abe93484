/** `when` of an ordered rule: the time, and how arguments compare. */
import type { OrderedCondition } from '../../model/ordered.ts'
import { pattern } from '../aegis/conditions.ts'
import { quote, type Report, type Spot } from '../diagnostics.ts'
import {
  type FieldsOf,
  type Filled,
  type Form,
  type Located,
  listOf,
  mapOf,
  misspelt,
  mistake,
  oneOrMore,
  record,
} from '../forms.ts'
import { wholeNumber } from '../scalars.ts'
import { comparable, orderable } from './values.ts'

/** `HH:MM`, as minutes of the day. */
const clock: Form<number> = {
  says: 'a time of the day in UTC as text, `"HH:MM"`',
  schema: { type: 'string', pattern: '^(?:[01]?[0-9]|2[0-3]):[0-5][0-9]$' },
  read(node, label, report) {
    const written = node.kind === 'scalar' && typeof node.value === 'string' ? node : undefined
    const [, hour, minute] = /^([01]?[0-9]|2[0-3]):([0-5][0-9])$/.exec(written?.text ?? '') ?? []
    if (!written || hour === undefined) return mistake(node, label, clock.says, report)
    // With a zero in front it is text to everyone.
    if (written.plain && /^[1-9]/.test(written.text))
      report.warning(
        node.at,
        'not_quoted',
        `${label}: a time without quotes is a number in older readers; put it in quotes`,
      )
    return Number(hour) * 60 + Number(minute)
  },
}

/** As it stands in a call, where letter case and signs count for nothing. */
const word: Form<string> = {
  says: 'a word of small letters, digits and `_`',
  schema: { type: 'string', pattern: '^[a-z0-9_]+$' },
  read(node, label, report) {
    if (node.kind === 'scalar' && typeof node.value === 'string' && /^[a-z0-9_]+$/.test(node.value)) return node.value
    return misspelt(node, label, word.says, report, [])
  },
}

export const comparisonKeys = {
  eq: { form: comparable, about: 'It equals the value.' },
  gt: { form: orderable, about: 'It is greater.' },
  gte: { form: orderable, about: 'It is greater or equal.' },
  lt: { form: orderable, about: 'It is less.' },
  lte: { form: orderable, about: 'It is less or equal.' },
  contains: { form: comparable, about: 'The value is part of the text, an element of the list or a key of the map.' },
  matches: { form: pattern, about: "The regular expression, one of Python's, has a match in the argument as text." },
} as const

const comparisons = record('a map of comparisons, for example `gt: 100`', comparisonKeys)

export const whenKeys = {
  after: { form: clock, about: 'From this time of the day on, UTC.' },
  before: { form: clock, about: 'Before this time of the day, UTC.' },
  weekdays: {
    form: listOf(wholeNumber(1, 7), 'a list of weekdays, Monday 1 to Sunday 7'),
    about: 'On these days of the week, Monday 1 to Sunday 7, UTC.',
  },
  arguments: {
    form: mapOf(comparisons, 'a map from arguments to comparisons', 1),
    about: 'How arguments compare, by their names: a dot in one is a dot.',
  },
  words: { form: listOf(word, 'a list of words'), about: 'One of these is a word of the call.' },
} as const

const one = record('a map of conditions, for example `after: "09:00"`', whenKeys, { owner: '`when`' })
type WrittenWhen = Filled<FieldsOf<typeof whenKeys>>

/** A list of maps says an order that one map cannot. */
export const whenForm = oneOrMore(one)

export function whenOf(written: readonly Located<WrittenWhen>[], report: Report): readonly OrderedCondition[] {
  return written.flatMap(({ value }) => {
    const { fields, at, misspelt } = value
    if (!misspelt && Object.keys(fields).length === 0) report.error(at, 'says_nothing', '`when` needs a condition')
    reportOvernight(fields, report)
    return conditionsOf(value, report)
  })
}

/** In the order of the file. */
function conditionsOf({ fields }: WrittenWhen, report: Report): readonly OrderedCondition[] {
  const names = Object.keys(fields) as (keyof WrittenWhen['fields'])[]
  return names.flatMap((name) => conditionOf(name, fields, report))
}

function conditionOf(
  name: keyof WrittenWhen['fields'],
  fields: WrittenWhen['fields'],
  report: Report,
): readonly OrderedCondition[] {
  switch (name) {
    case 'after':
    case 'before': {
      const minute = fields[name]?.value
      return minute === undefined ? [] : [{ kind: name, minute }]
    }
    case 'weekdays': {
      const days = fields.weekdays?.value?.map(({ value }) => value)
      return days ? [{ kind: 'weekdays', days: [...new Set(days)].sort() }] : []
    }
    case 'words': {
      const words = fields.words?.value?.map(({ value }) => value)
      return words ? [{ kind: 'words', words: [...new Set(words)].sort() }] : []
    }
    case 'arguments':
      return (fields.arguments?.value ?? []).flatMap(({ name: argument, nameAt, value }) =>
        argumentConditions(argument, nameAt, value, report),
      )
  }
  return name satisfies never
}

type WrittenComparisons = Filled<FieldsOf<typeof comparisonKeys>>

function argumentConditions(
  name: string,
  at: Spot,
  { fields, misspelt }: WrittenComparisons,
  report: Report,
): readonly OrderedCondition[] {
  const keys = Object.keys(fields) as (keyof WrittenComparisons['fields'])[]
  if (!misspelt && keys.length === 0) report.error(at, 'says_nothing', `${quote(name)} must be compared with something`)
  return keys.flatMap((key): OrderedCondition[] => {
    if (key === 'matches') {
      const pattern = fields.matches?.value
      return pattern ? [{ kind: 'matches', name, pattern }] : []
    }
    const boxed = fields[key]?.value
    if (!boxed) return []
    return [key === 'contains' ? { kind: 'contains', name, ...boxed } : { kind: 'compare', by: key, name, ...boxed }]
  })
}

function reportOvernight({ after, before }: WrittenWhen['fields'], report: Report): void {
  if (after?.value === undefined || before?.value === undefined || after.value < before.value) return
  report.warning(
    after.keyAt,
    'never_matches',
    '`after` and `before` must both hold, and no time is both: write a rule for the evening and one for the morning',
  )
}
