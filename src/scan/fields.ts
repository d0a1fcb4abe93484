/** Members of values from outside, of the type that is asked for or not at all. */

/** An own member of an object. */
export function field(item: unknown, key: string): unknown {
  return isObject(item) && Object.hasOwn(item, key) ? item[key] : undefined
}

export function textOf(item: unknown, key: string): string | undefined {
  const value = field(item, key)
  return typeof value === 'string' ? value : undefined
}

export function flagOf(item: unknown, key: string): boolean | undefined {
  const value = field(item, key)
  return typeof value === 'boolean' ? value : undefined
}

export function listOf(item: unknown, key: string): readonly unknown[] {
  const value = field(item, key)
  return Array.isArray(value) ? value : []
}

export function isObject(item: unknown): item is { readonly [key: string]: unknown } {
  return typeof item === 'object' && item !== null && !Array.isArray(item)
}
