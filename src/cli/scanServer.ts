/** Asks a stdio server of either era for its lists, as a client that can do everything and does nothing. */
import { Client } from '@modelcontextprotocol/client'
import { messageOf, TollgateError } from '../model/errors.ts'
import { durationText } from '../policy/durations.ts'
import { version } from '../runtime/version.ts'
import type { Scan } from '../scan/definition.ts'
import { listOf, textOf } from '../scan/fields.ts'
import { listBytesMax, listItemsMax, listPagesMax } from '../scan/limits.ts'
import { oneLine, shortened } from '../scan/visible.ts'
import { type ServerCommand, ServerProcess } from './serverProcess.ts'

export interface ScanRequest extends Omit<ServerCommand, 'hear'> {
  /** A single request may take as long as all together. */
  readonly timeoutMs: number
  /** Ends the scan; its reason is an `EndReason`. */
  readonly signal: AbortSignal
  /** Called when a server is started: what it gives hears what the server writes to stderr. */
  readonly listen: () => (chunk: Buffer) => void
  /** Told in a word or two of what is being done. */
  readonly progress: (doing: string) => void
}

/** Why a scan ended before it was done. */
export type EndReason = 'timeout' | 'interrupt'

/** Throws `spawn_failed`, `scan_failed`, `scan_timeout` or `scan_interrupted`, once the server is at its end. */
export async function scanServer(request: ScanRequest): Promise<Scan> {
  const { command, signal, progress } = request
  const session = new Session(request)
  const work = session.connect().then((client) => readLists(client, request))
  try {
    return await Promise.race([work, abortOf(signal)])
  } catch (error) {
    throw signal.aborted ? endError(request, session.fault) : failure(command, error, session.fault)
  } finally {
    progress('stopping the server')
    await session.close()
    // What was just being started is stopped too.
    await work.catch(() => undefined)
    await session.close()
  }
}

/** The server, and the client that is connected to it. */
class Session {
  /** What the client complained of last. */
  fault: unknown
  readonly #request: ScanRequest
  #server: ServerProcess | undefined

  constructor(request: ScanRequest) {
    this.#request = request
  }

  /** Old servers may break when they are asked for their era: then a fresh one is not asked. */
  async connect(): Promise<Client> {
    this.#request.progress('starting the server')
    try {
      return await this.#connectAs('auto')
    } catch (error) {
      await this.close()
      if (this.#request.signal.aborted || isSpawnError(error)) throw error
      return this.#connectAs('legacy')
    }
  }

  async close(): Promise<void> {
    await this.#server?.close()
  }

  /**
   * Servers may show tools only to clients that can be asked something in return, so this one says it can; asked, it
   * refuses.
   */
  async #connectAs(mode: 'auto' | 'legacy'): Promise<Client> {
    const { command, args, env, cwd, listen, timeoutMs: timeout, signal } = this.#request
    const client = new Client(
      { name: 'tollgate', version },
      {
        // A server that never answers the probe is an old one: half of the time is left for it.
        versionNegotiation: { mode, probe: { timeoutMs: timeout / 2 } },
        capabilities: { roots: {}, sampling: {}, elicitation: { form: {}, url: {} } },
      },
    )
    client.setRequestHandler('roots/list', () => ({ roots: [] }))
    client.onerror = (error) => {
      this.fault = error
    }
    this.fault = undefined
    const surroundings = { ...(env !== undefined && { env }), ...(cwd !== undefined && { cwd }) }
    this.#server = new ServerProcess({ command, args, ...surroundings, hear: listen() })
    await client.connect(this.#server, { timeout, signal })
    return client
  }
}

function abortOf(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason))
  })
}

function isSpawnError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error && String(error.syscall).startsWith('spawn')
}

function failure(command: string, error: unknown, fault: unknown): TollgateError {
  if (isSpawnError(error)) {
    const why = error.code === 'ENOENT' ? 'there is no such command' : error.message
    return new TollgateError('spawn_failed', `cannot start \`${command}\`: ${why}`, { cause: error })
  }
  const { code } = error as { readonly code?: unknown }
  const ended = code === 'CONNECTION_CLOSED' || code === 'NOT_CONNECTED'
  const why = ended ? `it ended before it had answered${also(fault)}` : said(error)
  return new TollgateError('scan_failed', `the server gives no lists: ${why}`, { cause: error })
}

/** An answer that the client could not read is passed over, and looks like none. */
function endError({ signal, timeoutMs }: ScanRequest, fault: unknown): TollgateError {
  if ((signal.reason as EndReason) === 'interrupt')
    return new TollgateError('scan_interrupted', 'interrupted, the server is stopped')
  const late = `the server had not given its lists after ${durationText(timeoutMs)}: give it longer with \`--timeout\``
  return new TollgateError('scan_timeout', `${late}${also(fault)}`)
}

function also(fault: unknown): string {
  return fault === undefined ? '' : `; its last trouble: ${said(fault)}`
}

/** An error may quote the server. */
function said(error: unknown): string {
  return shortened(oneLine(messageOf(error)), 300)
}

type Reading = Pick<ScanRequest, 'timeoutMs' | 'signal' | 'progress'>

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
