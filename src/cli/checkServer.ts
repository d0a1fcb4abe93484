/** The lists of a server to compare policies with: asked of it, or as `scan --json` wrote them down. */
import { readFileSync, statSync } from 'node:fs'
import { messageOf, TollgateError } from '../model/errors.ts'
import type { Scan } from '../scan/definition.ts'
import { isObject, listOf } from '../scan/fields.ts'
import { serverNameTrouble } from '../scan/keys.ts'
import { listBytesMax } from '../scan/limits.ts'
import { UsageError } from './exit.ts'

export interface ServerOptions {
  readonly server?: string
  readonly timeout: string
  readonly lists?: string
}

/** Undefined when there is no server to compare with. */
export async function comparedLists(
  [command, ...args]: readonly string[],
  { server, timeout, lists }: ServerOptions,
): Promise<Scan | undefined> {
  const trouble = server === undefined ? undefined : serverNameTrouble(server)
  if (trouble !== undefined) throw new UsageError(`\`--server\` must be a name as policies have it: ${trouble}`)
  if (command !== undefined && lists !== undefined)
    throw new UsageError('the server is asked, or its lists are read: `--lists` and a command after `--` are two')
  if (lists !== undefined) return readLists(lists)
  if (command === undefined) return undefined
  const { timeoutOf } = await import('./scan.ts')
  const { listsOf } = await import('./scanLists.ts')
  return listsOf({ command, args, timeoutMs: timeoutOf(timeout), verbose: false })
}

function readLists(file: string): Scan {
  const found = parsed(file)
  if (!isObject(found) || !Array.isArray(found['tools']))
    throw new TollgateError('lists_unreadable', `\`${file}\` is not what \`tollgate scan --json\` writes`)
  return {
    server: {},
    tools: listOf(found, 'tools'),
    resources: listOf(found, 'resources'),
    resourceTemplates: listOf(found, 'resource_templates'),
    prompts: listOf(found, 'prompts'),
    unfinished: listOf(found, 'warnings').filter((sentence) => typeof sentence === 'string'),
  }
}

function parsed(file: string): unknown {
  try {
    if (statSync(file).size > listBytesMax) throw new Error(`it has more than ${listBytesMax} bytes`)
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (cause) {
    throw new TollgateError('lists_unreadable', `\`${file}\` cannot be read: ${messageOf(cause)}`, { cause })
  }
}
