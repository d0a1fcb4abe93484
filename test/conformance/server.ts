/** The fixture server of the conformance suites: sessions before 2026-07-28, stateless after. PORT is where it listens. */
import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import {
  localhostHostValidation,
  localhostOriginValidation,
  NodeStreamableHTTPServerTransport,
  toNodeHandler,
} from '@modelcontextprotocol/node'
import { createMcpHandler, type EventStore, type JSONRPCMessage, type McpServer } from '@modelcontextprotocol/server'
import { featuredServer } from './features.ts'

const sessions = new Map<
  string,
  { readonly transport: NodeStreamableHTTPServerTransport; readonly server: McpServer }
>()
const changes = {
  toolsChanged: () => {
    modern.notify.toolsChanged()
    for (const { server } of sessions.values()) server.sendToolListChanged()
  },
  promptsChanged: () => {
    modern.notify.promptsChanged()
    for (const { server } of sessions.values()) server.sendPromptListChanged()
  },
}
const modern = createMcpHandler(() => featuredServer(changes), { legacy: 'reject' })
const answerModern = toNodeHandler(modern)
const isHost = localhostHostValidation()
const isOrigin = localhostOriginValidation()

/** Events as they were sent, so that a stream can be taken up again. */
class Events implements EventStore {
  readonly #events: { readonly id: string; readonly stream: string; readonly message: JSONRPCMessage }[] = []

  async storeEvent(stream: string, message: JSONRPCMessage): Promise<string> {
    const id = `${stream}_${this.#events.length}`
    this.#events.push({ id, stream, message })
    return id
  }

  async replayEventsAfter(
    last: string,
    { send }: { send: (id: string, message: JSONRPCMessage) => Promise<void> },
  ): Promise<string> {
    const from = this.#events.findIndex(({ id }) => id === last)
    const stream = this.#events[from]?.stream ?? ''
    for (const event of this.#events.slice(from + 1))
      if (event.stream === stream && Object.keys(event.message).length > 0) await send(event.id, event.message)
    return stream
  }
}

async function openSession(): Promise<NodeStreamableHTTPServerTransport> {
  const server = featuredServer(changes)
  const transport: NodeStreamableHTTPServerTransport = new NodeStreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    eventStore: new Events(),
    retryInterval: 500,
    onsessioninitialized: (id) => void sessions.set(id, { transport, server }),
    onsessionclosed: (id) => void sessions.delete(id),
  })
  await server.connect(transport)
  return transport
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  try {
    return JSON.parse(Buffer.concat(chunks).toString())
  } catch {
    return undefined
  }
}

interface Sent {
  readonly id?: string | number
  readonly method?: string
  readonly params?: { readonly name?: string; readonly _meta?: Readonly<Record<string, unknown>> }
}

function isLegacy(request: IncomingMessage, body: unknown): boolean {
  const { method, params } = (body ?? {}) as Sent
  if (params?._meta?.['io.modelcontextprotocol/protocolVersion'] !== undefined) return false
  return method === 'initialize' || request.headers['mcp-protocol-version'] !== '2026-07-28'
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (!isHost(request, response) || !isOrigin(request, response)) return
  const body = request.method === 'POST' ? await bodyOf(request) : undefined
  if (!isLegacy(request, body)) {
    if (lacksSampling(body)) return refuse(response, 400, 'sampling is needed', samplingNeeded(body))
    return answerModern(request as never, response, body)
  }
  const id = request.headers['mcp-session-id']
  if (id === undefined) {
    const opens = (body as Sent | undefined)?.method === 'initialize'
    if (opens) return (await openSession()).handleRequest(request as never, response, body)
    return refuse(response, 400, 'no session is named')
  }
  const session = sessions.get(String(id))
  if (session === undefined) return refuse(response, 404, 'there is no such session')
  return session.transport.handleRequest(request as never, response, body)
}

/** The SDK makes a result of whatever a tool throws; this one has to be an error, with a status of its own. */
function lacksSampling(body: unknown): boolean {
  const { params } = (body ?? {}) as Sent
  const declared = params?._meta?.['io.modelcontextprotocol/clientCapabilities'] as object | undefined
  return params?.name === 'test_missing_capability' && declared !== undefined && !Object.hasOwn(declared, 'sampling')
}

function samplingNeeded(body: unknown): object {
  const { id } = body as Sent
  return { id, code: -32_021, data: { requiredCapabilities: { sampling: {} } } }
}

function refuse(response: ServerResponse, status: number, message: string, more: object = {}): void {
  const { id = null, ...error } = more as { readonly id?: unknown }
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ jsonrpc: '2.0', id, error: { code: -32_000, message, ...error } }))
}

createServer((request, response) => {
  answer(request, response).catch((error) => {
    process.stderr.write(`${error.stack}\n`)
    if (!response.headersSent) refuse(response, 500, 'failed')
  })
}).listen(Number(process.env['PORT']), '127.0.0.1', () => process.stderr.write('the fixture is listening\n'))
