/** The small forms of case files: values of calls, who calls, and moments. */
import type { Principal } from '../../model/call.ts'
import type { Json } from '../../model/canonical.ts'
import { groupsMax } from '../../model/limits.ts'
import { readPrincipal } from '../../model/principal.ts'
import { instantOf } from '../../model/time.ts'
import type { Report } from '../../policy/diagnostics.ts'
import { durationMs } from '../../policy/durations.ts'
import { type Form, listOf, mapOf, mistake, record } from '../../policy/forms.ts'
import { label, scalar } from '../../policy/scalars.ts'
import { type Node, plainOf } from '../../policy/source.ts'

/** Any value, written so that every reader of YAML takes it for the same. */
export const json: Form<{ readonly value: Json }> = {
  says: 'a value of JSON',
  schema: {},
  read(node, name, report) {
    return isPlain(node, name, report) ? { value: plainOf(node) } : undefined
  },
}

function isPlain(node: Node, name: string, report: Report): boolean {
  switch (node.kind) {
    case 'scalar':
      return scalar.read(node, name, report) !== undefined
    case 'list':
      return node.items.map((item) => isPlain(item, `each of ${name}`, report)).every(Boolean)
    case 'map':
      return node.entries.map(({ key, value }) => isPlain(value, `\`${key}\``, report)).every(Boolean)
  }
  return node satisfies never
}

export type JsonMap = { readonly [key: string]: Json }

export const jsonMap: Form<JsonMap> = {
  says: 'a map',
  schema: { type: 'object' },
  read(node, name, report) {
    if (node.kind !== 'map') return mistake(node, name, jsonMap.says, report)
    return json.read(node, name, report)?.value as JsonMap | undefined
  },
}

/** The same, or `null` for what must not be there. */
export function orNull<T>(form: Form<T>): Form<T | null> {
  return {
    says: `${form.says}, or \`null\``,
    schema: { anyOf: [form.schema, { type: 'null' }] },
    read(node, name, report) {
      const isNull = node.kind === 'scalar' && node.value === null && node.text !== ''
      return isNull ? null : form.read(node, name, report)
    },
  }
}

const principalKeys = {
  agent: { form: label, about: 'The agent that calls.' },
  user: { form: label, about: 'The person behind it.' },
  project: { form: label, about: 'The project it works for.' },
  groups: { form: listOf(label, `a list of up to ${groupsMax} groups`, 0), about: 'The groups of the caller.' },
  claims: { form: jsonMap, about: 'Claims of a verified credential.' },
} as const

const principalRecord = record('a map of who calls', principalKeys, { owner: 'a principal' })

export const principal: Form<Principal> = {
  says: principalRecord.says,
  schema: principalRecord.schema,
  read(node, name, report) {
    const read = principalRecord.read(node, name, report)
    if (!read) return undefined
    // It has its name all the same, so that nobody is told of a name that is missing.
    if (read.misspelt || Object.values(read.fields).some((field) => field?.value === undefined)) return {}
    return attempted(node, report, () => readPrincipal(plainOf(node)))
  },
}

/** A caller by the name that `principals` gives it, or as it is. */
export type Who = { readonly name: string } | { readonly principal: Principal }

export const who: Form<Who> = {
  says: 'a map of who calls, or a name out of `principals`',
  schema: { anyOf: [label.schema, principal.schema] },
  read(node, name, report) {
    if (node.kind === 'list') return mistake(node, name, who.says, report)
    if (node.kind === 'map') {
      const read = principal.read(node, name, report)
      return read && { principal: read }
    }
    const named = label.read(node, name, report)
    return named === undefined ? undefined : { name: named }
  },
}

export const principals = mapOf(principal, 'a map of who calls, by names of your own', 1)

/** `at` an instant, or so long `after` or `before` something. */
export interface Moment {
  readonly kind: 'at' | 'after' | 'before'
  readonly ms: number
}

export const moment: Form<Moment> = {
  says: 'a time like `2026-03-02T09:00:00Z`, or `+1h` for an hour later',
  schema: { type: 'string' },
  read(node, name, report) {
    const read = node.kind === 'scalar' && typeof node.value === 'string' ? momentOf(node.value) : undefined
    return read ?? mistake(node, name, moment.says, report)
  },
}

function momentOf(text: string): Moment | undefined {
  const sign = text[0]
  const ms = sign === '+' || sign === '-' ? durationMs(text.slice(1)) : undefined
  if (ms !== undefined) return { kind: sign === '+' ? 'after' : 'before', ms }
  const at = instantOf(text)
  return at === undefined || at < 0 ? undefined : { kind: 'at', ms: at }
}

/** What the model refuses is a mistake of the node. */
export function attempted<T>(node: Pick<Node, 'at'>, report: Report, work: () => T): T | undefined {
  try {
    return work()
  } catch (error) {
    report.error(node.at, 'wrong_value', (error as Error).message)
    return undefined
  }
}
