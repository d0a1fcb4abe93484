// A small, fast MCP server over Streamable HTTP: one tool that echoes, sessions, a stream for each that wants one.
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'

const tool = { name: 'tool_0000', description: 'Gives back its message', inputSchema: { type: 'object' } }

const results = {
  initialize: ({ protocolVersion }) => ({
    protocolVersion,
    capabilities: { tools: {} },
    serverInfo: { name: 'bench', version: '1.0.0' },
  }),
  ping: () => ({}),
  'tools/list': () => ({ tools: [tool] }),
  'tools/call': ({ arguments: { message } }) => ({ content: [{ type: 'text', text: message }] }),
}

const server = createServer((request, response) => {
  if (request.method === 'GET') {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
    return
  }
  if (request.method === 'DELETE') return response.writeHead(200).end()
  let text = ''
  request.setEncoding('utf8')
  request.on('data', (chunk) => {
    text += chunk
  })
  request.on('end', () => {
    const { id, method, params } = JSON.parse(text)
    if (id === undefined) return response.writeHead(202).end()
    const answer = results[method]
    const outcome = answer ? { result: answer(params) } : { error: { code: -32601, message: 'Method not found' } }
    const body = JSON.stringify({ jsonrpc: '2.0', id, ...outcome })
    const session = method === 'initialize' ? { 'mcp-session-id': randomUUID() } : {}
    const length = { 'content-length': Buffer.byteLength(body) }
    response.writeHead(200, { 'content-type': 'application/json', ...length, ...session }).end(body)
  })
})
server.keepAliveTimeout = 60_000
server.listen(Number(process.env.PORT), '127.0.0.1', () => console.error(`listening on port ${server.address().port}`))
