/** What a server lists, as policies are compared with it, and how a sentence says that something is not there. */
import { quote } from '../policy/diagnostics.ts'
import { nearest } from '../policy/spelling.ts'
import type { Scan } from './definition.ts'
import { field, listOf, textOf } from './fields.ts'

export interface Listed {
  readonly what: 'tool' | 'prompt'
  /** Was the list read to its end? */
  readonly whole: boolean
  readonly items: readonly Item[]
}

export interface Item {
  readonly name: string
  readonly schema: unknown
}

export function toolsOf(scan: Scan): Listed {
  const items = scan.tools.flatMap((item) => named(item, field(item, 'inputSchema')))
  return { what: 'tool', whole: isWhole(scan, 'tools/list'), items }
}

export function promptsOf(scan: Scan): Listed {
  const items = scan.prompts.flatMap((item) => {
    const names = listOf(item, 'arguments').flatMap((argument) => textOf(argument, 'name') ?? [])
    return named(item, { properties: Object.fromEntries(names.map((name) => [name, {}])), additionalProperties: false })
  })
  return { what: 'prompt', whole: isWhole(scan, 'prompts/list'), items }
}

function named(item: unknown, schema: unknown): readonly Item[] {
  const name = textOf(item, 'name')
  return name === undefined ? [] : [{ name, schema }]
}

function isWhole({ unfinished }: Scan, method: string): boolean {
  return !unfinished.some((sentence) => sentence.startsWith(`\`${method}\``))
}

/** With the server before it, where the key has one. */
export function nearestKey(key: string, name: string, items: readonly Item[]): string | undefined {
  const near = nearest(
    name,
    items.map((item) => item.name),
  )
  return near && key.slice(0, key.length - name.length) + near
}

export function noneCalled(what: Listed['what'], key: string, suggestion: string | undefined): string {
  const meant = suggestion === undefined ? '' : `, did you mean ${quote(suggestion)}?`
  return `the server has no ${what} ${quote(key)}${meant}`
}

export function noneLike(what: Listed['what'], key: string): string {
  return `no ${what} of the server is called like ${quote(key)}`
}
