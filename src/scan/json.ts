/** The lists of a server as JSON. It goes to terminals too: what cannot be seen is escaped, which changes no value. */
import type { Scan } from './definition.ts'
import { textOf } from './fields.ts'
import { hiddenIn } from './hidden.ts'

const unseen = /[[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]--[\n]]/gv

export function scanJson(
  { server, tools, resources, resourceTemplates, prompts }: Scan,
  warnings: readonly string[],
): string {
  const { name, version, protocolVersion, instructions } = server
  const lists = { tools, resources, resource_templates: resourceTemplates, prompts }
  const hidden_text = [
    ...hiddenIn(server).map((one) => ({ of: 'server', ...one })),
    ...Object.entries(lists).flatMap(([list, items]) => items.flatMap((item) => hiddenMembers(list, item))),
  ]
  const found = {
    server: { name, version, protocol_version: protocolVersion, instructions },
    ...lists,
    hidden_text,
    warnings,
  }
  return `${escaped(JSON.stringify(found, null, 2))}\n`
}

/** `of` is the list in which it stands. */
function hiddenMembers(of: string, item: unknown): readonly object[] {
  const name = textOf(item, 'name') ?? textOf(item, 'uri') ?? null
  return hiddenIn(item).map((one) => ({ of, name, ...one }))
}

/** Of JSON text: what cannot be seen in it is written as an escape. */
export function escaped(json: string): string {
  return json.replace(unseen, escapedChar)
}

function escapedChar(char: string): string {
  const units = Array.from({ length: char.length }, (_, index) => char.charCodeAt(index))
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('')
}
