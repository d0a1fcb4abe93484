/** What the conformance suites look for in a server, by the names that they look for: tools, resources and prompts. */
import { fromJsonSchema, McpServer, ResourceTemplate, type ServerContext } from '@modelcontextprotocol/server'
import * as z from 'zod/v4'
import { addRounds, verifyState } from './rounds.ts'

/** One red pixel, and a sound of no length. */
const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=='
const wav = 'UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA='

const text = (words: string) => ({ content: [{ type: 'text' as const, text: words }] })
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

export interface Changes {
  toolsChanged(): void
  promptsChanged(): void
}

/** A server of either era; `changes` tells those who listen. */
export function featuredServer(changes: Changes): McpServer {
  const listed = { ttlMs: 300_000, cacheScope: 'public' as const }
  const server = new McpServer(
    { name: 'tollgate-conformance', version: '1.0.0' },
    {
      capabilities: {
        tools: { listChanged: true },
        prompts: { listChanged: true },
        resources: { listChanged: true, subscribe: true },
        logging: {},
        completions: {},
      },
      cacheHints: {
        'tools/list': listed,
        'prompts/list': listed,
        'resources/list': listed,
        'resources/templates/list': listed,
        'server/discover': listed,
        'resources/read': { ttlMs: 300_000, cacheScope: 'private' },
      },
      requestState: { verify: verifyState },
    },
  )
  addContent(server)
  addStreams(server, changes)
  addQuestions(server)
  addSchemas(server)
  addRounds(server)
  addResources(server)
  addPrompts(server)
  return server
}

function addContent(server: McpServer): void {
  const image = { type: 'image' as const, data: png, mimeType: 'image/png' }
  const resource = (uri: string, mimeType: string, words: string) => ({
    type: 'resource' as const,
    resource: { uri, mimeType, text: words },
  })
  const tool = (name: string, content: readonly object[]) =>
    server.registerTool(name, { description: `answers with ${name}` }, async () => ({ content: [...content] }) as never)
  tool('test_simple_text', [{ type: 'text', text: 'This is a simple text response for testing.' }])
  tool('test_image_content', [image])
  tool('test_audio_content', [{ type: 'audio', data: wav, mimeType: 'audio/wav' }])
  tool('test_embedded_resource', [resource('test://embedded-resource', 'text/plain', 'an embedded resource')])
  tool('test_multiple_content_types', [
    { type: 'text', text: 'Several kinds of content:' },
    image,
    resource('test://mixed-content-resource', 'application/json', '{"test":"data","value":123}'),
  ])
  server.registerTool('test_error_handling', { description: 'always fails' }, async () => {
    throw new Error('This tool intentionally returns an error for testing')
  })
}

/** Tools whose answer comes with other messages, or makes others happen. */
function addStreams(server: McpServer, changes: Changes): void {
  const empty = z.object({})
  const log = async (context: ServerContext, words: string) => context.mcpReq.log('info', words)
  server.registerTool('test_tool_with_logging', { description: 'logs', inputSchema: empty }, async (_, context) => {
    for (const words of ['Tool execution started', 'Tool processing data', 'Tool execution completed']) {
      await log(context, words)
      await pause(20)
    }
    return text('logged')
  })
  server.registerTool(
    'test_logging_tool',
    { description: 'logs when asked to', inputSchema: empty },
    async (_, context) => {
      await log(context, 'asked for')
      return text('logged')
    },
  )
  server.registerTool(
    'test_tool_with_progress',
    { description: 'progresses', inputSchema: empty },
    async (_, context) => {
      const progressToken = context.mcpReq._meta?.progressToken ?? 0
      for (const progress of [0, 50, 100]) {
        await context.mcpReq.notify({
          method: 'notifications/progress',
          params: { progressToken, progress, total: 100 },
        })
        await pause(20)
      }
      return text(String(progressToken))
    },
  )
  server.registerTool(
    'test_streaming_elicitation',
    { description: 'streams', inputSchema: empty },
    async (_, context) => {
      const progressToken = context.mcpReq._meta?.progressToken
      if (progressToken !== undefined)
        await context.mcpReq.notify({
          method: 'notifications/progress',
          params: { progressToken, progress: 50, total: 100 },
        })
      return text('streamed')
    },
  )
  server.registerTool(
    'test_reconnection',
    { description: 'closes its stream', inputSchema: empty },
    async (_, context) => {
      context.http?.closeSSE?.()
      await pause(100)
      return text('answered on another stream')
    },
  )
  server.registerTool('test_trigger_tool_change', { description: 'changes tools', inputSchema: empty }, async () => {
    changes.toolsChanged()
    return text('changed')
  })
  server.registerTool(
    'test_trigger_prompt_change',
    { description: 'changes prompts', inputSchema: empty },
    async () => {
      changes.promptsChanged()
      return text('changed')
    },
  )
}

/**
 * Requests to the client while a call runs: the eras before 2026-07-28 have them. They go on the stream of the call, which is
 * there; the one that the client opens beside may come later than the call.
 */
function addQuestions(server: McpServer): void {
  const asked = async (name: string, ask: () => Promise<unknown>) => {
    try {
      return text(`${name}: ${JSON.stringify(await ask())}`)
    } catch (error) {
      return text(`${name} failed: ${(error as Error).message}`)
    }
  }
  const elicited = async (context: ServerContext, message: string, properties: object, required: string[] = []) =>
    asked('answer', () =>
      context.mcpReq.send({
        method: 'elicitation/create',
        params: { message, requestedSchema: { type: 'object', properties, required } },
      }),
    )
  const sampling = { description: 'samples', inputSchema: z.object({ prompt: z.string() }) }
  server.registerTool('test_sampling', sampling, async ({ prompt }, context) =>
    asked('LLM response', () =>
      context.mcpReq.send({
        method: 'sampling/createMessage',
        params: {
          messages: [{ role: 'user', content: { type: 'text', text: prompt } }],
          maxTokens: 100,
        },
      }),
    ),
  )
  const eliciting = { description: 'elicits', inputSchema: z.object({ message: z.string() }) }
  server.registerTool('test_elicitation', eliciting, async ({ message }, context) =>
    elicited(context, message, { response: { type: 'string', description: 'the answer' } }, ['response']),
  )
  const empty = { description: 'elicits', inputSchema: z.object({}) }
  server.registerTool('test_elicitation_sep1034_defaults', empty, async (_, context) =>
    elicited(context, 'Look at the defaults', {
      name: { type: 'string', default: 'John Doe' },
      age: { type: 'integer', default: 30 },
      score: { type: 'number', default: 95.5 },
      status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
      verified: { type: 'boolean', default: true },
    }),
  )
  const titled = (word: string, value: string) =>
    ['First', 'Second', 'Third'].map((nth, index) => ({ const: `${value}${index + 1}`, title: `${nth} ${word}` }))
  server.registerTool('test_elicitation_sep1330_enums', empty, async (_, context) =>
    elicited(context, 'Choose', {
      untitledSingle: { type: 'string', enum: ['option1', 'option2', 'option3'] },
      titledSingle: { type: 'string', oneOf: titled('Option', 'value') },
      legacyEnum: { type: 'string', enum: ['opt1', 'opt2', 'opt3'], enumNames: ['One', 'Two', 'Three'] },
      untitledMulti: { type: 'array', items: { type: 'string', enum: ['option1', 'option2', 'option3'] } },
      titledMulti: { type: 'array', items: { anyOf: titled('Choice', 'value') } },
    }),
  )
}

/** Schemas that must arrive as they are, and parameters that are mirrored in headers. */
function addSchemas(server: McpServer): void {
  const whole = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    $defs: {
      address: {
        $anchor: 'addressDef',
        type: 'object',
        properties: { street: { type: 'string' }, city: { type: 'string' } },
      },
    },
    properties: {
      name: { type: 'string' },
      address: { $ref: '#/$defs/address' },
      contactMethod: { type: 'string', enum: ['phone', 'email'] },
      phone: { type: 'string' },
      email: { type: 'string' },
    },
    allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
    if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    then: { required: ['phone'] },
    else: { required: ['email'] },
    additionalProperties: false,
  }
  const described = (schema: object) => ({ description: 'has a schema', inputSchema: fromJsonSchema(schema as never) })
  server.registerTool('json_schema_2020_12_tool', described(whole), async (args) => text(JSON.stringify(args)))
  const region = { type: 'string', 'x-mcp-header': 'Region' }
  const mirrored = { type: 'object', properties: { region, query: { type: 'string' } }, required: ['region'] }
  server.registerTool('test_x_mcp_header', described(mirrored), async (args) => text(JSON.stringify(args)))
  // Without it the server does not even ask the tool (`server.ts`).
  const needy = { description: 'needs a client that samples', inputSchema: z.object({}) }
  server.registerTool('test_missing_capability', needy, async () => text('sampling is there'))
}

function addResources(server: McpServer): void {
  const resource = (name: string, uri: string, mimeType: string, content: object) =>
    server.registerResource(name, uri, { title: name, description: name, mimeType }, async () => ({
      contents: [{ uri, mimeType, ...content } as never],
    }))
  resource('static-text', 'test://static-text', 'text/plain', {
    text: 'This is the content of the static text resource.',
  })
  resource('static-binary', 'test://static-binary', 'image/png', { blob: png })
  resource('watched-resource', 'test://watched-resource', 'text/plain', { text: 'Watched' })
  const template = new ResourceTemplate('test://template/{id}/data', { list: undefined })
  server.registerResource('template', template, { mimeType: 'application/json' }, async (uri, { id }) => ({
    contents: [
      {
        uri: uri.href,
        mimeType: 'application/json',
        text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` }),
      },
    ],
  }))
  const nothing = async () => ({})
  server.server.setRequestHandler('resources/subscribe', nothing)
  server.server.setRequestHandler('resources/unsubscribe', nothing)
  server.server.setRequestHandler('logging/setLevel', nothing)
  server.server.setRequestHandler('completion/complete', async () => ({
    completion: { values: ['paris', 'park'], total: 2, hasMore: false },
  }))
}

function addPrompts(server: McpServer): void {
  const says = (...contents: readonly object[]) => ({
    messages: contents.map((content) => ({ role: 'user' as const, content }) as never),
  })
  const word = (words: string) => ({ type: 'text', text: words })
  server.registerPrompt('test_simple_prompt', { description: 'simple' }, async () =>
    says(word('This is a simple prompt for testing.')),
  )
  const two = z.object({ arg1: z.string(), arg2: z.string() })
  server.registerPrompt('test_prompt_with_arguments', { description: 'two', argsSchema: two }, async ({ arg1, arg2 }) =>
    says(word(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)),
  )
  const one = z.object({ resourceUri: z.string() })
  server.registerPrompt(
    'test_prompt_with_embedded_resource',
    { description: 'one', argsSchema: one },
    async ({ resourceUri }) =>
      says(
        {
          type: 'resource',
          resource: { uri: resourceUri, mimeType: 'text/plain', text: 'Embedded resource content for testing.' },
        },
        word('Please process the embedded resource above.'),
      ),
  )
  server.registerPrompt('test_prompt_with_image', { description: 'an image' }, async () =>
    says({ type: 'image', data: png, mimeType: 'image/png' }, word('Please analyze the image above.')),
  )
}
