/** `tollgate run` around the witness server, spoken to in raw lines. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { openLedger } from '../../src/ledger/ledger.ts'
import type { Answer } from '../answer.ts'

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const witness = fileURLToPath(new URL('witness.mjs', import.meta.url))

export interface Wrapped extends AsyncDisposable {
  readonly child: ChildProcess
  readonly policyFile: string
  readonly ledgerFile: string
  /** Writes a line as it is. */
  write(line: string | Buffer): void
  /** Sends a request and waits for the answer with its id. */
  ask(method: string, params: object): Promise<Answer>
  /** The next message that has the given id, or `null` for one without. */
  answer(id: number | string | null): Promise<Answer>
  notification(method: string): Promise<Answer>
  /** Lines that reached the server. */
  forwarded(): readonly string[]
  stderr(): string
  /** Records of the ledger, as JSON. */
  records(): readonly Answer[]
}

export async function wrap(
  policy: string,
  options: {
    readonly flags?: readonly string[]
    readonly ledger?: string
    /** What the client can do. */
    readonly capabilities?: object
    /** What stands in the place of `-c` and the policy, once other files are written into its folder. */
    readonly choose?: (folder: string) => readonly string[]
  } = {},
): Promise<Wrapped> {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-'))
  const policyFile = join(folder, 'policy.yaml')
  const ledgerFile = options.ledger ?? join(folder, 'ledger.db')
  const log = join(folder, 'received.log')
  writeFileSync(policyFile, policy)
  const chosen = options.choose?.(folder) ?? ['-c', policyFile]
  const flags = ['run', ...chosen, '--ledger', ledgerFile, ...(options.flags ?? [])]
  const child = spawn(process.execPath, [main, ...flags, '--', process.execPath, witness, log], { stdio: 'pipe' })
  // A gate that was killed reads no more; what matters is what it had done.
  child.stdin.on('error', () => undefined)
  let stderr = ''
  child.stderr.on('data', (chunk) => {
    stderr += chunk
  })
  const messages: Answer[] = []
  const waiting = new Set<() => void>()
  createInterface({ input: child.stdout }).on('line', (line) => {
    messages.push(JSON.parse(line))
    for (const wake of waiting) wake()
  })
  const found = async (matches: (message: Answer) => boolean): Promise<Answer> => {
    const deadline = Date.now() + 15_000
    for (;;) {
      const index = messages.findIndex(matches)
      if (index >= 0) return messages.splice(index, 1)[0]
      const gone = child.exitCode !== null && messages.length === 0
      if (gone || Date.now() > deadline)
        throw new Error(`no such message; stderr: ${stderr}; others: ${JSON.stringify(messages).slice(0, 2000)}`)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 1_000)
        waiting.add(() => {
          clearTimeout(timer)
          resolve()
        })
      })
    }
  }
  let last = 1_000
  const answer = (id: number | string | null) => found((message) => message.id === id && message.method === undefined)
  const write = (line: string | Buffer) => {
    child.stdin.write(line)
    child.stdin.write('\n')
  }
  const wrapped: Wrapped = {
    child,
    policyFile,
    ledgerFile,
    write,
    answer,
    ask: (method, params) => {
      const id = ++last
      write(JSON.stringify({ jsonrpc: '2.0', id, method, params }))
      return answer(id)
    },
    notification: (method) => found((message) => message.method === method),
    forwarded: () => (existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : []),
    stderr: () => stderr,
    records: () => {
      const ledger = openLedger({ file: ledgerFile, readOnly: true })
      const bodies = [...ledger.records()].map(({ body }) => JSON.parse(body))
      ledger.close()
      return bodies
    },
    [Symbol.asyncDispose]: async () => {
      child.stdin.end()
      if (child.exitCode === null && child.signalCode === null) {
        const timer = setTimeout(() => child.kill('SIGKILL'), 5_000)
        await once(child, 'exit')
        clearTimeout(timer)
      }
      rmSync(folder, { recursive: true, force: true })
    },
  }
  await wrapped.ask('initialize', {
    protocolVersion: '2025-11-25',
    capabilities: options.capabilities ?? {},
    clientInfo: { name: 'test', version: '1' },
  })
  write(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' }))
  await arrives(wrapped, 'notifications/initialized')
  return wrapped
}

/** A notification has no answer: without this wait it could reach the server while a test counts what reaches it. */
async function arrives({ forwarded, stderr }: Wrapped, method: string): Promise<void> {
  for (const deadline = Date.now() + 15_000; Date.now() < deadline; await sleep(5))
    if (forwarded().some((line) => line.includes(`"${method}"`))) return
  throw new Error(`${method} did not reach the server; stderr: ${stderr()}`)
}

/** The decision inside an answer, wherever its kind of answer carries it. */
export function decisionIn(answer: Answer): Answer {
  return answer.result?._meta?.['dev.tollgate/decision'] ?? answer.error?.data?.['dev.tollgate/decision']
}
