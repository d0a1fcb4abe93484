/** The guards give back what they are given, of the type it had, for both generations of the SDK. */
import { Client as ClientV2 } from '@modelcontextprotocol/client'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { Server as LowV1 } from '@modelcontextprotocol/sdk/server/index.js'
import { McpServer as ServerV1 } from '@modelcontextprotocol/sdk/server/mcp.js'
import { Server as LowV2, McpServer as ServerV2 } from '@modelcontextprotocol/server'
import type { Gate } from '../../src/index.ts'

declare const gate: Gate
const info = { name: 'types', version: '1' }

export const clientV1: ClientV1 = gate.wrapClient(new ClientV1(info))
export const clientV2: ClientV2 = gate.wrapClient(new ClientV2(info), { server: 'shop', principal: { user: 'ann' } })
export const serverV1: ServerV1 = gate.guardServer(new ServerV1(info), { server: 'shop' })
export const serverV2: ServerV2 = gate.guardServer(new ServerV2(info))
export const lowV1: LowV1 = gate.guardServer(new LowV1(info))
export const lowV2: LowV2 = gate.guardServer(new LowV2(info))

class Own extends ClientV2 {
  readonly mine = true
}
export const own: Own = gate.wrapClient(new Own(info))

// @ts-expect-error a server is no client
gate.wrapClient(new ServerV1(info))
// @ts-expect-error a client is no server
gate.guardServer(new ClientV2(info))
// @ts-expect-error a misspelt option
gate.wrapClient(new ClientV1(info), { name: 'shop' })
