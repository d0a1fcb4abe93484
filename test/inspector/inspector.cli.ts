/**
 * The command line of the MCP Inspector, before every combination of a client and a server that the gate has. `make
 * inspector` installs it: with all that it brings it has 110 MB, too much for everybody who works on the gate.
 */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { everythingOverHttp, type ServerProcess } from '../http/fixtures/gate.ts'
import { everything } from '../mcp/fixtures/gated.ts'

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const inspector = at(
  '../../.cache/inspector/node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js',
)
const gate = [process.execPath, at('../../src/cli/main.ts')]
const folder = mkdtempSync(join(tmpdir(), 'tollgate-inspector-'))
const policy = join(folder, 'policy.yaml')
let ledgers = 0
let server: ServerProcess

before(async () => {
  writeFileSync(
    policy,
    'version: "1"\ndefault: deny\ntools:\n  echo: {}\n  get-sum: { rules: [{ rate_limit: 1/hour }] }\n',
  )
  server = await everythingOverHttp()
})
after(async () => {
  await server[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
})

const options = () => ['-c', policy, '--ledger', join(folder, `ledger-${++ledgers}.db`)]

async function inspected(target: readonly string[], ...method: readonly string[]): Promise<string> {
  const args = [inspector, '--cli', ...target, '--method', ...method]
  const env = { ...process.env, HOME: folder, MCP_CATALOG_PATH: join(folder, 'catalog.json') }
  const child = spawn(process.execPath, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += chunk))
  await once(child, 'close')
  return said
}

/** All that the Inspector can find out through the gate. */
async function looksRight(target: readonly string[]): Promise<void> {
  const listed = await inspected(target, 'tools/list')
  assert.match(listed, /"name": "echo"/)
  assert.doesNotMatch(listed, /get-env/)
  const echoed = await inspected(target, 'tools/call', '--tool-name', 'echo', '--tool-arg', 'message=hi')
  assert.match(echoed, /"text": "Echo: hi"/)
  const sum = ['tools/call', '--tool-name', 'get-sum', '--tool-arg', 'a=1', 'b=2']
  assert.match(await inspected(target, ...sum), /The sum of 1 and 2 is 3/)
  assert.match(await inspected(target, ...sum), /Blocked by policy/)
}

async function serving(args: readonly string[], use: (url: string) => Promise<void>): Promise<void> {
  const [command = '', ...before] = gate
  const all = [...before, 'serve', '--listen', '127.0.0.1:0', ...options(), ...args]
  const child: ChildProcess = spawn(command, all, { stdio: ['ignore', 'ignore', 'pipe'] })
  try {
    const url = await new Promise<string>((resolve, reject) => {
      createInterface(child.stderr as NodeJS.ReadableStream).on('line', (line) => {
        const found = /listening on (\S+)/.exec(line)?.[1]
        if (found !== undefined) resolve(found)
      })
      child.once('exit', () => reject(new Error('the gate ended')))
    })
    await use(url)
  } finally {
    const exited = once(child, 'exit')
    child.kill('SIGTERM')
    await exited
  }
}

test('stdio before stdio', () => looksRight([...gate, 'run', ...options(), '--', process.execPath, ...everything]))

test('stdio before HTTP', () => looksRight([...gate, 'run', ...options(), '--upstream', server.url.href]))

test('HTTP before HTTP', () => serving(['--upstream', server.url.href], (url) => looksRight([url])))

test('HTTP before stdio', () => serving(['--', process.execPath, ...everything], (url) => looksRight([url])))
