/** What every native file begins with. */
import type { Origins } from './origins.ts'
import { type Entry, entry, text, word } from './yaml.ts'

export interface Head {
  readonly id: string
  readonly version: string
  readonly default: string
}

export function headEntries(
  { id, version, default: byDefault }: Head,
  origins: Origins,
): readonly (Entry | undefined)[] {
  const description = origins.topText('description') ?? scopeText(origins)
  return [
    entry('version', word('"1"'), origins.topLine('version')),
    description === undefined
      ? undefined
      : entry('description', text(description), origins.topLine('description', 'scope', 'scope_id')),
    entry('policy_id', text(id), origins.topLine('policy_id')),
    version === '' ? undefined : entry('policy_version', text(version), origins.topLine('policy_version')),
    entry('default', text(byDefault), origins.topLine('default', 'defaults')),
  ]
}

/** Whom an Aegis file is for: it says nothing to the gate, and is not lost. */
function scopeText(origins: Origins): string | undefined {
  const said = ['scope', 'scope_id'].flatMap((key) => {
    const value = origins.topText(key)
    return value ? [`${key}: ${value}`] : []
  })
  return said.length === 0 ? undefined : said.join(', ')
}
