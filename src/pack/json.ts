/** JSON as packs are written: keys in order, two spaces, nothing but ASCII, a line end. The same value, the same bytes. */
import type { Json } from '../model/canonical.ts'

export function packText(value: Json): string {
  return `${ascii(JSON.stringify(inOrder(value), null, 2))}\n`
}

function inOrder(value: Json): Json {
  if (Array.isArray(value)) return value.map((item) => inOrder(item as Json))
  if (value === null || typeof value !== 'object') return value
  const members = Object.entries(value as { readonly [key: string]: Json }).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(members.map(([key, member]) => [key, inOrder(member)]))
}

function ascii(text: string): string {
  return text.replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
