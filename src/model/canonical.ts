/** Canonical JSON (RFC 8785): keys sorted by UTF-16 code units, numbers as ECMAScript prints them, no white space. */

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined }

/** Throws a `TypeError` on what JSON has no word for; members that are undefined are left out. */
export function canonical(value: Json): string {
  return isInOrder(value) ? JSON.stringify(value) : sorted(value)
}

/** Is it, as it stands, what `JSON.stringify` prints canonically? Then that is several times as fast as sorting is. */
function isInOrder(value: unknown): boolean {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true
  if (typeof value === 'number') return Number.isFinite(value)
  if (Array.isArray(value)) return value.every(isInOrder)
  if (typeof value !== 'object') return false
  let before: string | undefined
  for (const key of Object.keys(value)) {
    if (before !== undefined && before >= key) return false
    const member = (value as { readonly [key: string]: unknown })[key]
    if (member !== undefined && !isInOrder(member)) return false
    before = key
  }
  return true
}

function sorted(value: Json): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError('JSON has no such number')
    return JSON.stringify(value)
  }
  if (Array.isArray(value)) return `[${value.map((item) => sorted(item as Json)).join(',')}]`
  if (typeof value !== 'object') throw new TypeError(`JSON has no ${typeof value}`)
  return canonicalObject(value as { readonly [key: string]: Json | undefined })
}

function canonicalObject(value: { readonly [key: string]: Json | undefined }): string {
  let text = ''
  for (const key of Object.keys(value).sort()) {
    const member = value[key]
    if (member === undefined) continue
    text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${sorted(member)}`
  }
  return `{${text}}`
}
