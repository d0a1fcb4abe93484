/** Values of JSON that ordered rules compare arguments with. */
import type { Json } from '../../model/canonical.ts'
import type { Report } from '../diagnostics.ts'
import { type Form, mistake } from '../forms.ts'
import { scalar } from '../scalars.ts'
import type { Node } from '../source.ts'

/** Boxed, as forms give undefined for what is wrong. */
export interface Value {
  readonly value: Json
}

/** A value that an argument can be, or that can be in one. */
export const comparable: Form<Value> = {
  says: 'text, a number, `true`, `false`, a list or a map',
  schema: { type: ['string', 'number', 'boolean', 'array', 'object'] },
  read(node, label, report) {
    const value = jsonOf(node, label, report)
    if (value !== null) return value === undefined ? undefined : { value }
    return mistake(node, label, comparable.says, report, ': an argument that is missing or null meets no condition')
  },
}

/** A value that has an order. */
export const orderable: Form<Value> = {
  says: 'a number, text, `true`, `false` or a list',
  schema: { type: ['string', 'number', 'boolean', 'array'] },
  read(node, label, report) {
    return node.kind === 'map' ? mistake(node, label, orderable.says, report) : comparable.read(node, label, report)
  },
}

function jsonOf(node: Node, label: string, report: Report): Json | undefined {
  if (node.kind === 'scalar') return scalar.read(node, label, report)?.value
  if (node.kind === 'list') {
    const items = node.items.map((item) => jsonOf(item, label, report))
    return items.every((item) => item !== undefined) ? items : undefined
  }
  const members = node.entries.map(({ key, value }): [string, Json | undefined] => [key, jsonOf(value, label, report)])
  return members.every(([, value]) => value !== undefined) ? (Object.fromEntries(members) as Json) : undefined
}
