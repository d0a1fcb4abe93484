// A stdio MCP server that writes every line it receives to a file: what is not there was not forwarded.
import { appendFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

const [log] = process.argv.slice(2)
const tools = ['pay', 'echo', 'free', '__proto__', 'constructor', 'hidden', 'held'].map((name) => ({
  name,
  inputSchema: { type: 'object' },
}))
const answer = (id, result) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id, result })}\n`)

createInterface({ input: process.stdin }).on('line', (line) => {
  appendFileSync(log, `${line}\n`)
  const { id, method, params } = JSON.parse(line)
  if (id === undefined) return
  if (method === 'initialize')
    answer(id, {
      protocolVersion: '2025-11-25',
      capabilities: { tools: {} },
      serverInfo: { name: 'witness', version: '1' },
    })
  else if (method === 'tools/list') answer(id, { tools })
  else if (method === 'tools/call' && params.arguments?.die) process.exit(7)
  else if (method === 'tools/call' && params.arguments?.silent) return
  else if (method === 'tools/call')
    answer(id, { content: [{ type: 'text', text: 'done' }], ...(params.arguments?.fail && { isError: true }) })
  else answer(id, {})
})
