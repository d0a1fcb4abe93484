/** The lists of a server as JSON. It goes to terminals too: what cannot be seen is escaped, which changes no value. */
import type { Scan } from './definition.ts'

const unseen = /[[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]--[\n]]/gv

export function scanJson(
  { server, tools, resources, resourceTemplates, prompts }: Scan,
  warnings: readonly string[],
): string {
  const { name, version, protocolVersion, instructions } = server
  const lists = { tools, resources, resource_templates: resourceTemplates, prompts }
  const found = { server: { name, version, protocol_version: protocolVersion, instructions }, ...lists, warnings }
  return `${JSON.stringify(found, null, 2).replace(unseen, escaped)}\n`
}

function escaped(char: string): string {
  const units = Array.from({ length: char.length }, (_, index) => char.charCodeAt(index))
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('')
}
