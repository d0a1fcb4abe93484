/** What every native file begins with. */
import type { Pinning } from '../model/pinning.ts'
import type { Origins } from './origins.ts'
import { type Entry, entry, list, map, text, word } from './yaml.ts'

export interface Head {
  readonly id: string
  readonly version: string
  readonly default: string
  readonly pinning?: Pinning
}

export function headEntries(
  { id, version, default: byDefault, pinning }: Head,
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
    pinning?.mode && entry('pinning', text(pinning.mode), origins.topLine('pinning')),
    pinnedEntry(pinning, origins),
  ]
}

function pinnedEntry(pinning: Pinning | undefined, origins: Origins): Entry | undefined {
  if (!pinning || pinning.pinned.length === 0) return undefined
  const tools = pinning.pinned.map(({ key, sha256 }) => entry(key, list(sha256.map(text))))
  return entry('pinned', map(tools), origins.topLine('pinned'))
}

/** Whom an Aegis file is for: it says nothing to the gate, and is not lost. */
function scopeText(origins: Origins): string | undefined {
  const said = ['scope', 'scope_id'].flatMap((key) => {
    const value = origins.topText(key)
    return value ? [`${key}: ${value}`] : []
  })
  return said.length === 0 ? undefined : said.join(', ')
}
