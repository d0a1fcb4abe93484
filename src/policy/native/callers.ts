/** Whom a rule or an entry is for: `for: { groups: support }`, or a list of such maps. */
import { callerFields, callersText } from '../../model/callers.ts'
import type { Callers, CallerTest, Pattern } from '../../model/policy.ts'
import { type Form, later, oneOrMore, record } from '../forms.ts'
import { label } from '../scalars.ts'

const names: Form<readonly Pattern[]> = {
  ...oneOrMore(label),
  read(node, name, report) {
    return oneOrMore(label)
      .read(node, name, report)
      ?.map(({ value }) => patternOf(value))
  },
}

function patternOf(text: string): Pattern {
  return { kind: /[*?]/.test(text) ? 'glob' : 'literal', text }
}

export const callerKeys = {
  agent: { form: names, about: 'Agents, by globs over their names.' },
  user: { form: names, about: 'Persons, likewise.' },
  project: { form: names, about: 'Projects, likewise.' },
  groups: { form: names, about: 'Groups of which the caller is in one, likewise.' },
} as const

const one = record('a map of callers', callerKeys, { owner: '`for`' })

const several = oneOrMore(one)

/** Once in the schema, for rules and entries of every kind. */
export const callersForm: Form<Callers> = later(
  'callers',
  'a map like `{ groups: support }`, or a list of these',
  () => callersWritten,
)

export const callersWritten: Form<Callers> = {
  says: 'a map like `{ groups: support }`, or a list of these',
  schema: several.schema,
  read(node, name, report) {
    const written = several.read(node, name, report)
    const tests = written?.map(({ value: { fields, at, misspelt } }): CallerTest => {
      if (!misspelt && Object.keys(fields).length === 0)
        report.error(at, 'says_nothing', `${name} names nobody: leave it out where everybody is meant`)
      const named = callerFields.flatMap((field) => (fields[field]?.value ? [[field, fields[field].value]] : []))
      return Object.fromEntries(named)
    })
    return tests
  },
}

/** Who is counted is part of what is counted: callers of one rule do not fill the counter of another. */
export function scopeFor(scope: string, callers: Callers | undefined): string {
  return callers ? `${scope} for ${callersText(callers)}` : scope
}
