/** An MCP server with a guard in it, over stdio: `guardedServer.ts SDK POLICY_FILE LEDGER`. */
import { StdioServerTransport as StdioV1 } from '@modelcontextprotocol/sdk/server/stdio.js'
import { StdioServerTransport as StdioV2, serveStdio } from '@modelcontextprotocol/server/stdio'
import { openGate } from '../../src/index.ts'
import { sdks, type TestServer, text } from './sdks.ts'

const [mode, policy = '', ledger = ''] = process.argv.slice(2)
const gate = await openGate({ policy, ledger, watch: true, server: 'shop' })
const sdk = sdks[mode === '1' ? 0 : 1]

function guarded(): TestServer {
  if (sdk === undefined) throw new Error('no such SDK')
  const server = gate.guardServer(sdk.server() as never) as TestServer
  for (const name of ['say', 'other']) sdk.tool(server, name, (args) => text(`${name} ${JSON.stringify(args)}`))
  return server
}

if (mode === '1') await guarded().connect(new StdioV1())
else if (mode === '2') await guarded().connect(new StdioV2())
else serveStdio(() => guarded() as never)
