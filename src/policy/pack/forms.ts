/** Values that workflow manifests and policy packs have in common. */
import { quote, type Report } from '../diagnostics.ts'
import { type Form, type Located, listOf, mistake, record } from '../forms.ts'
import { textCharsMax } from '../limits.ts'
import { label, text } from '../scalars.ts'
import type { Node } from '../source.ts'

/** A list of so many or more. */
export function atLeast<T>(min: number, form: Form<T>, says: string): Form<readonly Located<T>[]> {
  const list = listOf(form, says, min === 0 ? 0 : 1)
  return {
    says,
    schema: { ...list.schema, minItems: min },
    read(node, name, report) {
      if (node.kind === 'list' && node.items.length > 0 && node.items.length < min)
        report.error(node.at, 'wrong_value', `${name} must be ${says}: at least ${min}, got ${node.items.length}`)
      return list.read(node, name, report)
    },
  }
}

/** The same, no value twice. */
export function distinct<T extends string>(list: Form<readonly Located<T>[]>): Form<readonly Located<T>[]> {
  return {
    ...list,
    schema: { ...list.schema, uniqueItems: true },
    read(node, name, report) {
      const items = list.read(node, name, report)
      reportTwice(items ?? [], name, report)
      return items
    },
  }
}

export function reportTwice(items: readonly Located<string>[], name: string, report: Report): void {
  const first = new Map<string, number>()
  for (const { value, at } of items) {
    const line = first.get(value)
    if (line === undefined) first.set(value, at.line)
    else report.error(at, 'duplicate_key', `${name} has ${quote(value)} twice, first on line ${line}`)
  }
}

/** One value and no other. */
export function exactly<const V extends string | boolean>(value: V, why: string): Form<V> {
  const says = `${typeof value === 'string' ? JSON.stringify(value) : `\`${value}\``}: ${why}`
  return {
    says,
    schema: { const: value },
    read(node, name, report) {
      if (node.kind === 'scalar' && node.value === value) return value
      return mistake(node, name, says, report)
    },
  }
}

/** Text of a certain form. */
export function matching(pattern: RegExp, says: string): Form<string> {
  return {
    says,
    schema: { type: 'string', pattern: pattern.source, maxLength: textCharsMax },
    read(node, name, report) {
      if (node.kind !== 'scalar' || typeof node.value !== 'string' || node.value.length > textCharsMax)
        return mistake(node, name, says, report)
      return pattern.test(node.value) ? node.value : mistake(node, name, says, report)
    },
  }
}

/** A value that may be `null`, where its generator found none. */
export function nullable<T>(form: Form<T>): Form<T | null> {
  return {
    says: `${form.says}, or \`null\``,
    schema: { anyOf: [form.schema, { type: 'null' }] },
    read: (node, name, report) => (isNull(node) ? null : form.read(node, name, report)),
  }
}

function isNull(node: Node): boolean {
  return node.kind === 'scalar' && node.value === null && node.text === 'null'
}

export const date = matching(/^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$/, 'a date like "2026-01-31"')

/** As it is written: without quotes, YAML takes some digests for numbers. */
export const sha256: Form<string> = {
  says: 'a SHA-256 digest: 64 hexadecimal digits in lower case',
  schema: { type: 'string', pattern: '^[0-9a-f]{64}$' },
  read(node, name, report) {
    const written = node.kind === 'scalar' ? node.text : ''
    return /^[0-9a-f]{64}$/.test(written) ? written : mistake(node, name, sha256.says, report)
  },
}

export const workflowId = matching(/^[a-z0-9][a-z0-9-]{1,127}$/, 'lower-case letters, digits and hyphens')

/** What a branch may be called at all is up to git; what a prefix is made of is not. */
export const branchPrefix = matching(/^[\w-][\w./-]{0,254}$/, 'the beginning of a branch, like "remediation/"')

export const publicPath = matching(/^\/.+\/$/, 'a path that begins and ends with a slash')

const uri: Form<string> = {
  says: 'a URI',
  schema: { type: 'string', format: 'uri' },
  read(node, name, report) {
    const value = node.kind === 'scalar' && typeof node.value === 'string' ? node.value : ''
    return URL.canParse(value) ? value : mistake(node, name, uri.says, report)
  },
}

const standardKeys = {
  id: { form: label, about: 'The id of the standard.', required: 'name the standard' },
  name: { form: text, about: 'Its name.', required: 'write out its name' },
  url: { form: uri, about: 'Where it is.', required: 'say where it is' },
  why_it_matters: { form: text, about: 'What it asks for here.', required: 'say what it asks for here' },
} as const

const standard = record('a standard', standardKeys)

export const standards = atLeast(4, standard, 'a list of standards')

const evidenceKeys = {
  id: { form: label, about: 'The id of the record.', required: 'name the record' },
  source: { form: text, about: 'Its source.', required: 'name its source' },
  retention: { form: label, about: 'How long it is kept.', required: 'say how long it is kept' },
  evidence_owner: { form: label, about: 'Who keeps it.', required: 'say who keeps it' },
} as const

export const evidence = atLeast(3, record('an evidence record', evidenceKeys), 'a list of evidence records')

const kpiKeys = {
  id: { form: label, about: 'The id of the figure.', required: 'name the figure' },
  target: { form: text, about: 'What it should be.', required: 'say what it should be' },
} as const

export const kpis = atLeast(3, record('a figure', kpiKeys), 'a list of figures')

export const texts = listOf(text, 'a list of texts', 0)

export const labels = listOf(label, 'a list of texts', 0)

export const killSignals = distinct(atLeast(2, text, 'a list of kill signals'))
