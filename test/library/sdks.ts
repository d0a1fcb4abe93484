/** Both generations of the MCP SDK behind one small face, so that each test runs with each. */
import { Client as ClientV2, InMemoryTransport as MemoryV2 } from '@modelcontextprotocol/client'
import { StdioClientTransport as StdioV2 } from '@modelcontextprotocol/client/stdio'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport as StdioV1 } from '@modelcontextprotocol/sdk/client/stdio.js'
import { InMemoryTransport as MemoryV1 } from '@modelcontextprotocol/sdk/inMemory.js'
import { McpServer as ServerV1 } from '@modelcontextprotocol/sdk/server/mcp.js'
import * as schemas from '@modelcontextprotocol/sdk/types.js'
import { McpServer as ServerV2 } from '@modelcontextprotocol/server'
import { z } from 'zod'

/** What the tests use of a client. The two SDKs differ in where options stand, and in nothing else that is used here. */
export interface TestClient {
  readonly transport?: unknown
  onerror?: ((error: Error) => void) | undefined
  connect(transport: unknown, options?: unknown): Promise<void>
  close(): Promise<void>
  callTool(params: ToolParams, options?: CallOptions): Promise<ToolResult>
  listTools(params?: object): Promise<{ readonly tools: readonly Named[] }>
  listPrompts(params?: object): Promise<{ readonly prompts: readonly Named[] }>
  listResources(params?: object): Promise<{ readonly resources: readonly (Named & { readonly uri: string })[] }>
  listResourceTemplates(): Promise<{ readonly resourceTemplates: readonly Named[] }>
  readResource(params: { readonly uri: string }): Promise<unknown>
  subscribeResource(params: { readonly uri: string }): Promise<unknown>
  getPrompt(params: { readonly name: string; readonly arguments?: Record<string, string> }): Promise<unknown>
  complete(params: object): Promise<unknown>
}

interface Named {
  readonly name: string
}

export interface ToolParams {
  readonly name: string
  readonly arguments?: Record<string, unknown>
}

export interface CallOptions {
  readonly signal?: AbortSignal
  readonly onprogress?: (progress: { readonly progress: number }) => void
}

export interface ToolResult {
  readonly content: readonly { readonly type: string; readonly text: string }[]
  readonly isError?: boolean
  readonly structuredContent?: unknown
  readonly _meta?: Readonly<Record<string, unknown>>
}

/** What a handler is given beside its arguments. */
export interface Handling {
  readonly signal: AbortSignal
  progress(done: number): Promise<void>
  elicit(): Promise<unknown>
}

export type Handler = (args: Record<string, unknown>, handling: Handling) => unknown

export interface TestServer {
  readonly server: object
  connect(transport: unknown): Promise<void>
  close(): Promise<void>
  sendToolListChanged(): void
}

export interface Sdk {
  readonly name: string
  client(options?: object): TestClient
  server(): TestServer
  tool(server: TestServer, name: string, handler: Handler, options?: { readonly output?: boolean }): void
  resource(server: TestServer, name: string, uri: string): void
  prompt(server: TestServer, name: string): void
  pair(): readonly [unknown, unknown]
  stdio(command: string, args: readonly string[]): unknown
  /** A request by the method that takes any. */
  request(client: TestClient, method: string, params: object): Promise<unknown>
}

const info = { name: 'test', version: '1' }
const capabilities = { elicitation: {} }

// biome-ignore lint/suspicious/noExplicitAny: the SDKs' own types are what `types.test.ts` and `package.packed.ts` are about
type Any = any

const input = { amount: z.number().optional(), text: z.string().optional() }
const output = { ok: z.boolean() }
const question = { message: 'sure?', requestedSchema: { type: 'object', properties: {} } }

const v1: Sdk = {
  name: 'SDK 1',
  client: (options) => positionless(new ClientV1(info, { capabilities, ...options })),
  server: () => new ServerV1(info, { capabilities: { tools: {}, resources: { subscribe: true }, prompts: {} } }) as Any,
  tool: (server: Any, name, handler, options) => {
    const config = { inputSchema: input, ...(options?.output && { outputSchema: output }) }
    server.registerTool(name, config, (args: Any, extra: Any) =>
      handler(args, {
        signal: extra.signal,
        progress: (progress) => {
          const progressToken = extra._meta.progressToken
          return extra.sendNotification({ method: 'notifications/progress', params: { progress, progressToken } })
        },
        elicit: () => server.server.elicitInput(question),
      }),
    )
  },
  resource: (server: Any, name, uri) => {
    server.registerResource(name, uri, {}, () => ({ contents: [{ uri, text: name }] }))
  },
  prompt: (server: Any, name) => {
    const messages = [{ role: 'user', content: { type: 'text', text: name } }]
    server.registerPrompt(name, {}, () => ({ messages }))
  },
  pair: () => MemoryV1.createLinkedPair(),
  stdio: (command, args) => new StdioV1({ command, args: [...args], stderr: 'ignore' }),
  request: (client: Any, method, params) => client.request({ method, params }, schemas.ResultSchema),
}

const v2: Sdk = {
  name: 'SDK 2',
  client: (options) => new ClientV2(info, { capabilities, ...options }) as Any,
  server: () => new ServerV2(info, { capabilities: { tools: {}, resources: { subscribe: true }, prompts: {} } }) as Any,
  tool: (server: Any, name, handler, options) => {
    const config = { inputSchema: z.object(input), ...(options?.output && { outputSchema: z.object(output) }) }
    server.registerTool(name, config, (args: Any, ctx: Any) =>
      handler(args, {
        signal: ctx.mcpReq.signal,
        progress: (progress) => {
          const progressToken = ctx.mcpReq._meta.progressToken
          return ctx.mcpReq.notify({ method: 'notifications/progress', params: { progress, progressToken } })
        },
        elicit: () => ctx.mcpReq.elicitInput(question),
      }),
    )
  },
  resource: (server: Any, name, uri) => {
    server.registerResource(name, uri, {}, () => ({ contents: [{ uri, text: name }] }))
  },
  prompt: (server: Any, name) => {
    const messages = [{ role: 'user', content: { type: 'text', text: name } }]
    server.registerPrompt(name, {}, () => ({ messages }))
  },
  pair: () => MemoryV2.createLinkedPair(),
  stdio: (command, args) => new StdioV2({ command, args: [...args], stderr: 'ignore' }),
  request: (client: Any, method, params) => client.request({ method, params }, z.looseObject({})),
}

export const sdks: readonly Sdk[] = [v1, v2]

/** In SDK 1 a schema stands between the parameters and the options of `callTool`. */
function positionless(client: ClientV1): TestClient {
  const original = client.callTool.bind(client) as Any
  return Object.assign(client, {
    callTool: (params: ToolParams, options?: CallOptions) => original(params, undefined, options),
  }) as Any
}

/** The decision inside an answer, or inside an error. */
export function decisionIn(answer: unknown): Any {
  const { _meta, data } = answer as { readonly _meta?: Any; readonly data?: Any }
  return (_meta ?? data)?.['dev.tollgate/decision']
}

export function text(message: string): ToolResult {
  return { content: [{ type: 'text', text: message }] }
}

/** A server with what the tests ask of one: tools that note that they ran, one that waits, one that asks, resources, prompts. */
export function furnish(
  sdk: Sdk,
  server: TestServer,
  names: readonly string[],
): { readonly ran: string[]; readonly aborted: () => boolean } {
  const ran: string[] = []
  let aborted = false
  for (const name of names)
    sdk.tool(server, name, (args) => {
      ran.push(name)
      return text(JSON.stringify(args))
    })
  sdk.tool(server, 'checked', () => ({ content: [], structuredContent: { ok: true } }), { output: true })
  sdk.tool(server, 'slow', async (_, { signal, progress }) => {
    ran.push('slow')
    await progress(1)
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve))
    aborted = true
    return text('done')
  })
  sdk.tool(server, 'ask', async (_, { elicit }) => text(JSON.stringify(await elicit())))
  sdk.resource(server, 'a', 'file:///public/a')
  sdk.resource(server, 'secret', 'file:///secret')
  sdk.prompt(server, 'greet')
  sdk.prompt(server, 'other')
  return { ran, aborted: () => aborted }
}
