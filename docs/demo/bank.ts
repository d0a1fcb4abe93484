/** A small MCP server on the official SDK: a bank that does whatever it is told. It is what the demo puts behind the gate. */
import { McpServer } from '@modelcontextprotocol/server'
import { StdioServerTransport } from '@modelcontextprotocol/server/stdio'
import { z } from 'zod'

const bank = new McpServer({ name: 'bank', version: '1.0.0' })
let balance = 10_000
const said = (text: string) => ({ content: [{ type: 'text' as const, text }] })

bank.registerTool('get_balance', { description: 'The balance of the account', inputSchema: z.object({}) }, () =>
  said(`${balance.toFixed(2)} GBP`),
)

bank.registerTool(
  'create_payment',
  {
    description: 'Pay somebody',
    inputSchema: z.object({ amount: z.number(), currency: z.string(), payee: z.string() }),
  },
  ({ amount, currency, payee }) => {
    balance -= amount
    return said(`paid ${amount.toFixed(2)} ${currency} to ${payee}`)
  },
)

bank.registerTool('close_account', { description: 'Close the account', inputSchema: z.object({}) }, () =>
  said('the account is closed'),
)
bank.registerTool('delete_all_records', { description: 'Delete everything', inputSchema: z.object({}) }, () =>
  said('all records are deleted'),
)

await bank.connect(new StdioServerTransport())
