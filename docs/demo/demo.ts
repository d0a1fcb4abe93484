/** `make demo`: a real MCP client calls a real MCP server through the gate, and the record shows what came of it. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'

const here = fileURLToPath(new URL('.', import.meta.url))
const tollgate = fileURLToPath(new URL('../../bin/tollgate', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'tollgate-demo-'))
const ledger = join(folder, 'ledger.db')
const policy = join(here, 'payments.yaml')

const colour = (code: number, text: string) =>
  process.stdout.isTTY && !process.env['NO_COLOR'] ? `\u001b[${code}m${text}\u001b[0m` : text
const title = (text: string) => console.log(`\n${colour(1, text)}`)

const server = [
  'run',
  '-c',
  policy,
  '--server',
  'bank',
  '--agent',
  'demo-agent',
  '--user',
  'ann',
  '--session',
  'demo',
  '--ledger',
  ledger,
]
const client = new Client({ name: 'demo', version: '1.0.0' })
await client.connect(
  new StdioClientTransport({
    command: tollgate,
    args: [...server, '--', process.execPath, join(here, 'bank.ts')],
    stderr: 'inherit',
  }),
)

title(`The server has four tools. Through the gate, under ${relative(process.cwd(), policy)}, the agent sees:`)
const { tools } = await client.listTools()
console.log(`  ${tools.map(({ name }) => name).join(', ')}`)

async function call(what: string, name: string, args: Record<string, unknown> = {}): Promise<void> {
  console.log(`\n${what}\n  ${colour(36, `${name} ${JSON.stringify(args)}`)}`)
  try {
    const { isError, content } = await client.callTool({ name, arguments: args })
    const text = (content as { text?: string }[]).map((part) => part.text).join(' ')
    console.log(`  ${isError ? colour(31, '✗') : colour(32, '✓')} ${text}`)
  } catch (error) {
    console.log(`  ${colour(31, '✗')} ${(error as Error).message}`)
  }
}

title('The calls')
await call('A payment that the policy allows:', 'create_payment', { amount: 400, currency: 'GBP', payee: 'ACME-1234' })
await call('To a payee that it does not know:', 'create_payment', { amount: 400, currency: 'GBP', payee: 'MALLORY-1' })
await call('Over the cap for one call:', 'create_payment', { amount: 500.01, currency: 'GBP', payee: 'ACME-1234' })
await call('A second one, within the daily cap:', 'create_payment', {
  amount: 500,
  currency: 'GBP',
  payee: 'ACME-1234',
})
await call('A third one, which would pass it:', 'create_payment', {
  amount: 100.01,
  currency: 'GBP',
  payee: 'ACME-1234',
})
for (const count of ['first', 'second', 'third', 'fourth'])
  await call(`The balance, for the ${count} time in this minute:`, 'get_balance')
await call('What needs a person:', 'close_account')
await call('A tool that is on no list:', 'delete_all_records')
await client.close()

const run = (...args: string[]) => execFileSync(tollgate, args, { stdio: ['ignore', 'inherit', 'inherit'] })
title('The record: tollgate audit')
run('audit', '--ledger', ledger)
title('The proof, every decision evaluated again from its recorded input: tollgate audit verify')
run('audit', 'verify', '--ledger', ledger)
rmSync(folder, { recursive: true, force: true })
title('Next: README.md has the policy of this demo in short, docs/policies/native.md the whole language.')
