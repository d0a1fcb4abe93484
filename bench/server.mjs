// A small, fast MCP server over stdio: one tool that echoes. Plain JavaScript, so that its start is Node's and no more.

const tools = [
  {
    name: 'tool_0000',
    description: 'Gives back its message',
    inputSchema: { type: 'object', properties: { message: { type: 'string' } } },
  },
]

const results = {
  initialize: ({ protocolVersion }) => ({
    protocolVersion,
    capabilities: { tools: {} },
    serverInfo: { name: 'bench', version: '1.0.0' },
  }),
  ping: () => ({}),
  'tools/list': () => ({ tools }),
  'tools/call': ({ arguments: { message } }) => ({ content: [{ type: 'text', text: message }] }),
}

let rest = ''
process.stdin.setEncoding('utf8')
process.stdin.on('data', (chunk) => {
  const lines = (rest + chunk).split('\n')
  rest = lines.pop()
  const answers = lines.map((line) => answerTo(JSON.parse(line))).filter((answer) => answer !== undefined)
  if (answers.length > 0) process.stdout.write(answers.join(''))
})

function answerTo({ id, method, params }) {
  if (id === undefined) return undefined
  const answer = results[method]
  const outcome = answer ? { result: answer(params) } : { error: { code: -32601, message: 'Method not found' } }
  return `${JSON.stringify({ jsonrpc: '2.0', id, ...outcome })}\n`
}
