/** Where a pack is not what its manifest gives, place by place, as people read it. */
import type { Json } from '../model/canonical.ts'

/** Texts for people that decide nothing: another generator of the format writes its own. */
const freeTexts = new Set(['intent', 'meaning'])

/** Members by which the elements of a list are told apart, where they have one. */
const names = ['workflow_id', 'scope_id', 'phase', 'id', 'decision'] as const

const shownCharsMax = 120

export function differences(pack: Json, generated: Json, place = ''): readonly string[] {
  if (isObject(pack) && isObject(generated)) return membersDiffer(pack, generated, place)
  if (Array.isArray(pack) && Array.isArray(generated)) return elementsDiffer(pack, generated, place)
  if (pack === generated) return []
  return [`${place || 'the file'}: the pack has ${shown(pack)}, the manifest gives ${shown(generated)}`]
}

function membersDiffer(pack: JsonObject, generated: JsonObject, place: string): readonly string[] {
  const keys = [...new Set([...Object.keys(pack), ...Object.keys(generated)])].sort()
  return keys.flatMap((key) => {
    const here = place === '' ? key : `${place}.${key}`
    const [ours, theirs] = [memberOf(pack, key), memberOf(generated, key)]
    if (freeTexts.has(key) && typeof ours === 'string' && typeof theirs === 'string') return []
    return compared(ours, theirs, here)
  })
}

/** Elements with a name are compared by it; that they stand in another order is told once. */
function elementsDiffer(pack: readonly Json[], generated: readonly Json[], place: string): readonly string[] {
  const [ours, theirs] = [named(pack), named(generated)]
  const keys = [...new Set([...theirs.keys(), ...ours.keys()])]
  const found = keys.flatMap((key) => compared(ours.get(key), theirs.get(key), `${place}[${key}]`))
  const reordered = found.length === 0 && [...ours.keys()].join('\n') !== [...theirs.keys()].join('\n')
  return reordered ? [`${place}: the pack has another order than the manifest gives`] : found
}

function compared(ours: Json | undefined, theirs: Json | undefined, place: string): readonly string[] {
  if (ours === undefined && theirs === undefined) return []
  if (ours === undefined) return [`${place}: the pack lacks ${shown(theirs as Json)}`]
  if (theirs === undefined) return [`${place}: the manifest does not give ${shown(ours)}`]
  return differences(ours, theirs, place)
}

function named(items: readonly Json[]): ReadonlyMap<string, Json> {
  const keyed = items.map((item, index) => [nameOf(item) ?? String(index), item] as const)
  const unique = new Set(keyed.map(([key]) => key)).size === items.length
  return new Map(unique ? keyed : items.map((item, index) => [String(index), item]))
}

/** Texts are their own names: a list of them is compared as a set that has an order. */
function nameOf(item: Json): string | undefined {
  if (typeof item === 'string') return shown(item)
  if (!isObject(item)) return undefined
  const value = names.map((name) => memberOf(item, name)).find((name) => typeof name === 'string')
  return value as string | undefined
}

type JsonObject = { readonly [key: string]: Json | undefined }

function isObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function memberOf(value: JsonObject, key: string): Json | undefined {
  return Object.hasOwn(value, key) ? value[key] : undefined
}

function shown(value: Json): string {
  const text = JSON.stringify(value)
  return text.length > shownCharsMax ? `${text.slice(0, shownCharsMax)}…` : text
}
