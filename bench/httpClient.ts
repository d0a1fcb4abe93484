/** An MCP client over Streamable HTTP with as little between us and the wire as Node allows: it sends, and waits for the answer. */
import { Agent, type IncomingMessage, request } from 'node:http'

const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY })

const fields = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }

export class HttpClient {
  readonly #url: URL
  #session: Readonly<Record<string, string>> = {}
  #lastId = 0

  constructor(url: URL) {
    this.#url = url
  }

  /** Connects, as a client does before it calls. */
  async initialize(): Promise<void> {
    const clientInfo = { name: 'bench', version: '1.0.0' }
    const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo }
    const answer = await this.#post({ jsonrpc: '2.0', id: 0, method: 'initialize', params })
    const id = answer.headers['mcp-session-id']
    this.#session = { 'mcp-protocol-version': '2025-06-18', ...(typeof id === 'string' && { 'mcp-session-id': id }) }
    await textOf(answer)
    await textOf(await this.#post({ jsonrpc: '2.0', method: 'notifications/initialized' }))
  }

  /** Calls a tool; rejects when it was not done. */
  async call(name: string, args: object): Promise<void> {
    const params = { name, arguments: args }
    const answer = await this.#post({ jsonrpc: '2.0', id: ++this.#lastId, method: 'tools/call', params })
    const { result, error } = messageIn(await textOf(answer))
    if (error || !result || result.isError) throw new Error(error?.message ?? JSON.stringify(result))
  }

  /** Opens the stream of the session; it stays open until it is closed from somewhere. */
  async listen(): Promise<IncomingMessage> {
    const answer = await this.#ask('GET', { accept: 'text/event-stream' })
    if (answer.statusCode !== 200) throw new Error(`the stream was answered with ${answer.statusCode}`)
    answer.on('error', () => {}).resume()
    return answer
  }

  async close(): Promise<void> {
    await textOf(await this.#ask('DELETE', {}))
  }

  #post(message: object): Promise<IncomingMessage> {
    return this.#ask('POST', fields, JSON.stringify(message))
  }

  #ask(method: string, headers: Readonly<Record<string, string>>, body?: string): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }
      const asked = request(this.#url, { method, agent, headers: { ...headers, ...this.#session, ...length } }, resolve)
      asked.on('error', reject)
      asked.end(body)
    })
  }
}

function textOf(answer: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    answer.setEncoding('utf8')
    answer.on('data', (chunk: string) => {
      text += chunk
    })
    answer.on('end', () => resolve(text))
    answer.on('error', reject)
  })
}

interface Answer {
  readonly result?: { readonly isError?: boolean }
  readonly error?: { readonly message: string }
}

/** JSON, or the last event of a stream. */
function messageIn(text: string): Answer {
  if (text.startsWith('{')) return JSON.parse(text)
  return JSON.parse(text.slice(text.lastIndexOf('data: {') + 'data: '.length))
}
