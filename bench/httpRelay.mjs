// The floor: an HTTP server between client and server that only passes bodies on, as little as Node can do. No policy.
import { Agent, createServer, request } from 'node:http'

const upstream = new URL(process.argv[2])
const agent = new Agent({ keepAlive: true, maxSockets: 4_096 })

const server = createServer((incoming, outgoing) => {
  const { method, headers } = incoming
  const options = { method, agent, headers: { ...headers, host: upstream.host } }
  const onward = request(upstream, options, (answer) => {
    outgoing.writeHead(answer.statusCode, answer.headers)
    answer.pipe(outgoing)
  })
  onward.on('error', () => outgoing.destroy())
  outgoing.on('close', () => onward.destroy())
  incoming.pipe(onward)
})
server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => console.error(`listening on http://127.0.0.1:${server.address().port}/mcp`))
