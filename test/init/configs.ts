/** Configurations of MCP clients as the tests write them, and what they read of them. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { parse } from 'jsonc-parser/lib/umd/main.js'
import type { FileReport } from '../../src/cli/initReport.ts'
import type { Json } from '../../src/model/canonical.ts'
import { node } from './machine.ts'

export interface Entry {
  readonly command: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

export const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`
export const server = (...args: readonly string[]): Entry => ({ command: node, args })

/** What stands in a configuration under these keys. */
export function partOf(file: string, ...path: readonly string[]): Readonly<Record<string, Json>> {
  const text = readFileSync(file, 'utf8').replace(/^\ufeff/, '')
  let part = parse(text, [], { allowTrailingComma: true }) as Json
  for (const key of path) {
    assert.ok(typeof part === 'object' && part !== null && Object.hasOwn(part, key), `${file}: ${path.join()}`)
    part = (part as Readonly<Record<string, Json>>)[key] as Json
  }
  return part as Readonly<Record<string, Json>>
}

/** The server there. Zed has its path, arguments and variables in a map called `command`. */
export function entryOf(file: string, ...path: readonly string[]): Entry {
  const part = partOf(file, ...path)
  if (typeof part['command'] === 'string') return part as unknown as Entry
  const { path: command, ...rest } = part['command'] as Readonly<Record<string, Json>>
  return { command, ...rest } as unknown as Entry
}

/** What `--json` prints. */
export function reportsIn(stdout: string): readonly FileReport[] {
  return JSON.parse(stdout).files
}
