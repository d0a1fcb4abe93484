/** A light MCP client: JSON-RPC over the pipes of a child, so that what lies between shows and the client does not. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'

interface Answer {
  readonly result?: { readonly isError?: boolean }
  readonly error?: { readonly message: string }
}

export class Client {
  readonly #child: ChildProcessWithoutNullStreams
  readonly #waiting = new Map<number, (answer: Answer) => void>()
  #rest: Buffer[] = []
  #lastId = 0

  constructor([command = '', ...args]: readonly string[]) {
    this.#child = spawn(command, args)
    this.#child.stdout.on('data', (chunk: Buffer) => this.#read(chunk))
    let said = ''
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said = `${said}${text}`.slice(-2_000)
    })
    this.#child.once('close', (code) => {
      for (const answer of this.#waiting.values()) answer({ error: { message: `ended with ${code}: ${said}` } })
    })
  }

  get pid(): number {
    return this.#child.pid as number
  }

  /** Connects, as a client does before it calls. */
  async initialize(): Promise<void> {
    const clientInfo = { name: 'bench', version: '1.0.0' }
    await this.request('initialize', { protocolVersion: '2025-06-18', capabilities: {}, clientInfo })
    this.#child.stdin.write('{"jsonrpc":"2.0","method":"notifications/initialized"}\n')
  }

  /** Calls a tool; rejects when it was not done. */
  async call(name: string, args: object): Promise<void> {
    await this.request('tools/call', { name, arguments: args })
  }

  request(method: string, params: object): Promise<void> {
    const id = ++this.#lastId
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, ({ result, error }) => {
        if (error || result?.isError) reject(new Error(error?.message ?? JSON.stringify(result)))
        else resolve()
      })
      this.#child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`)
    })
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null) return
    this.#child.stdin.end()
    await once(this.#child, 'exit')
  }

  #read(chunk: Buffer): void {
    let start = 0
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      const part = chunk.subarray(start, end)
      const line = this.#rest.length === 0 ? part : Buffer.concat([...this.#rest, part])
      this.#rest = []
      start = end + 1
      this.#answer(JSON.parse(line.toString('utf8')))
    }
    if (start < chunk.length) this.#rest.push(chunk.subarray(start))
  }

  #answer({ id, ...answer }: Answer & { readonly id?: number }): void {
    const answered = id === undefined ? undefined : this.#waiting.get(id)
    if (id === undefined || !answered) return
    this.#waiting.delete(id)
    answered(answer)
  }
}
