/** Asks a stdio server of either era for its lists, as a client that can do everything and does nothing. */
import type { Client } from '@modelcontextprotocol/client'
import { messageOf, TollgateError } from '../model/errors.ts'
import { version } from '../runtime/version.ts'
import type { Scan } from '../scan/definition.ts'
import { listOf, textOf } from '../scan/fields.ts'
import { listBytesMax, listItemsMax, listPagesMax } from '../scan/limits.ts'
import { oneLine, shortened } from '../scan/visible.ts'

export interface ScanRequest {
  readonly command: string
  readonly args: readonly string[]
  /** A single request may take as long as all together. */
  readonly timeoutMs: number
  /** Ends the scan; its reason is what is thrown. */
  readonly signal: AbortSignal
  /** Hears what the server writes to stderr. */
  readonly hear: (chunk: Buffer) => void
  /** Told in a word or two of what is being done. */
  readonly progress: (doing: string) => void
}

/**
 * Servers may show tools only to clients that can be asked something in return, so this one says it can; asked, it
 * refuses. The client starts the command twice: old servers may end when they are asked for their era. Throws `spawn_failed`, `scan_failed`, or the reason of the signal, when the server is at its end.
 */
export async function scanServer(request: ScanRequest): Promise<Scan> {
  const { command, args, timeoutMs, signal, hear, progress } = request
  const { Client } = await import('@modelcontextprotocol/client')
  const { StdioClientTransport } = await import('@modelcontextprotocol/client/stdio')
  const env = process.env as Record<string, string>
  const transport = new StdioClientTransport({ command, args: [...args], env, stderr: 'pipe' })
  transport.stderr?.on('data', hear)
  const client = new Client(
    { name: 'tollgate', version },
    {
      // A server that never answers the probe is an old one: half of the time is left for it.
      versionNegotiation: { mode: 'auto', probe: { timeoutMs: timeoutMs / 2 } },
      capabilities: { roots: {}, sampling: {}, elicitation: { form: {}, url: {} } },
    },
  )
  client.setRequestHandler('roots/list', () => ({ roots: [] }))
  let fault: unknown
  client.onerror = (error) => {
    fault = error
  }
  const work = connectAndRead()
  try {
    return await Promise.race([work, abortOf(signal)])
  } catch (error) {
    throw signal.aborted ? signal.reason : failure(command, error, fault)
  } finally {
    progress('stopping the server')
    // Its input ends, then SIGTERM, then SIGKILL. The second time is for a server that was just being started.
    await transport.close()
    await work.catch(() => undefined)
    await transport.close()
  }

  async function connectAndRead(): Promise<Scan> {
    progress('starting the server')
    await client.connect(transport, { timeout: timeoutMs, signal })
    return readLists(client, { timeoutMs, signal, progress })
  }
}

function abortOf(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason))
  })
}

function failure(command: string, error: unknown, fault: unknown): TollgateError {
  if (error instanceof TollgateError) return error
  const { code } = error as { readonly code?: unknown }
  if (code === 'ENOENT' || code === 'EACCES') {
    const why = code === 'ENOENT' ? 'there is no such command' : 'it may not be run'
    return new TollgateError('spawn_failed', `cannot start \`${command}\`: ${why}`, { cause: error })
  }
  const ended = code === 'CONNECTION_CLOSED' || code === 'NOT_CONNECTED'
  const why = ended ? `it ended before it had answered${fault ? `: ${said(fault)}` : ''}` : said(error)
  return new TollgateError('scan_failed', `the server gives no lists: ${why}`, { cause: error })
}

/** An error may quote the server. */
function said(error: unknown): string {
  return shortened(oneLine(messageOf(error)), 300)
}

interface Reading {
  readonly timeoutMs: number
  readonly signal: AbortSignal
  readonly progress: (doing: string) => void
}

/** Tools last: some servers add to them when the client has told what it can do. */
async function readLists(client: Client, reading: Reading): Promise<Scan> {
  const reader = new ListReader(client, reading)
  const can = client.getServerCapabilities() ?? {}
  const none: readonly unknown[] = []
  const resources = can.resources ? await reader.readIfPossible('resources/list', 'resources') : none
  const resourceTemplates = can.resources
    ? await reader.readIfPossible('resources/templates/list', 'resourceTemplates')
    : none
  const prompts = can.prompts ? await reader.readIfPossible('prompts/list', 'prompts') : none
  const tools = can.tools ? await reader.readUnchanged() : none
  const self = client.getServerVersion()
  const server = {
    name: self?.name,
    version: self?.version,
    protocolVersion: client.getNegotiatedProtocolVersion(),
    instructions: client.getInstructions(),
  }
  const said = Object.fromEntries(Object.entries(server).filter(([, value]) => value !== undefined))
  return { server: said, tools, resources, resourceTemplates, prompts, unfinished: [...new Set(reader.unfinished)] }
}

/** Takes whatever a server lists: what is wrong with one item must not hide the others. */
const anything = { '~standard': { version: 1, vendor: 'tollgate', validate: (value: unknown) => ({ value }) } } as const

/** How often the tools are listed again because the server changed them meanwhile. */
const roundsMax = 3

/** Reads lists page by page, within limits that hold for all of them together. */
class ListReader {
  readonly unfinished: string[] = []
  readonly #client: Client
  readonly #reading: Reading
  #bytesLeft = listBytesMax

  constructor(client: Client, reading: Reading) {
    this.#client = client
    this.#reading = reading
  }

  async readUnchanged(): Promise<readonly unknown[]> {
    let changes = 0
    this.#client.setNotificationHandler('notifications/tools/list_changed', () => {
      changes++
    })
    for (let round = 1; ; round++) {
      const before = changes
      const tools = await this.#read('tools/list', 'tools')
      if (changes === before || round === roundsMax) return tools
    }
  }

  /** A policy about tools is worth having without the other lists. */
  async readIfPossible(method: string, key: string): Promise<readonly unknown[]> {
    try {
      return await this.#read(method, key)
    } catch (error) {
      if (this.#reading.signal.aborted) throw error
      this.unfinished.push(`\`${method}\` could not be read: ${said(error)}`)
      return []
    }
  }

  async #read(method: string, key: string): Promise<readonly unknown[]> {
    const items: unknown[] = []
    const cursors = new Set<string>()
    let cursor: string | undefined
    do {
      const result = await this.#page(method, cursor)
      items.push(...listOf(result, key))
      this.#reading.progress(`${method}: ${items.length}`)
      cursor = textOf(result, 'nextCursor') || undefined
      const over = this.#limitPassed(items, cursors, cursor)
      if (over !== undefined) {
        this.unfinished.push(`\`${method}\` was not read to its end, what it would still list is denied: ${over}`)
        break
      }
      if (cursor !== undefined) cursors.add(cursor)
    } while (cursor !== undefined)
    return items.slice(0, listItemsMax)
  }

  async #page(method: string, cursor: string | undefined): Promise<unknown> {
    const { timeoutMs: timeout, signal } = this.#reading
    const params = cursor === undefined ? {} : { cursor }
    const result = await this.#client.request({ method, params }, anything, { timeout, signal })
    this.#bytesLeft -= JSON.stringify(result).length
    return result
  }

  #limitPassed(
    items: readonly unknown[],
    cursors: ReadonlySet<string>,
    cursor: string | undefined,
  ): string | undefined {
    if (items.length > listItemsMax) return `at most ${listItemsMax} items are read`
    if (cursor === undefined) return undefined
    if (items.length === listItemsMax) return `at most ${listItemsMax} items are read`
    if (cursors.has(cursor)) return 'its pages lead in a circle'
    if (cursors.size + 1 >= listPagesMax) return `at most ${listPagesMax} pages are read`
    return this.#bytesLeft < 0 ? `at most ${listBytesMax} bytes are read` : undefined
  }
}
