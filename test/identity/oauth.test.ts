/**
 * A client that knows the URL of the gate alone logs in by itself: the SDK's own client finds the issuer through the gate,
 * asks a token for it, and calls. What the token claims becomes attributes of the run, which a policy pack decides by.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { ClientCredentialsProvider } from '@modelcontextprotocol/sdk/client/auth-extensions.js'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { ScriptedServer } from '../http/fixtures/gate.ts'
import { Issuer } from './fixtures/issuer.ts'
import { bearer, Folder, recordingServer, Serving } from './fixtures/serving.ts'

const folder = new Folder()
const pack = fileURLToPath(new URL('../pack/fixtures/mcp-gateway-policy.json', import.meta.url))
const tokensAsked: URLSearchParams[] = []
let keys: Issuer
let upstream: ScriptedServer
let serving: Serving

/** The issuer's own pages (RFC 8414, RFC 6749): by hand, as the point is what the client asks of them. */
const authorization = createServer((request, response) => void answer(request, response))

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  const json = (value: unknown) =>
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value))
  if (request.url === '/.well-known/oauth-authorization-server')
    return void json({
      issuer: keys.issuer,
      authorization_endpoint: `${keys.issuer}authorize`,
      token_endpoint: `${keys.issuer}token`,
      response_types_supported: ['code'],
      grant_types_supported: ['client_credentials'],
      token_endpoint_auth_methods_supported: ['client_secret_basic'],
    })
  if (request.url !== '/token') return void response.writeHead(404).end()
  const asked = new URLSearchParams(Buffer.concat(chunks).toString())
  tokensAsked.push(asked)
  const run = { workflow: 'sensitive-data-remediation', id: 'r1' }
  const claims = {
    aud: asked.get('resource'),
    sub: 'codex',
    azp: undefined,
    client_id: 'codex',
    run,
    scope: asked.get('scope'),
  }
  json({ access_token: await keys.token({ claims }), token_type: 'Bearer', expires_in: 300 })
}

before(async () => {
  authorization.listen(0, '127.0.0.1')
  await once(authorization, 'listening')
  keys = await Issuer.start(`http://127.0.0.1:${(authorization.address() as AddressInfo).port}/`)
  upstream = await recordingServer()
  const port = await freePort()
  folder.write('run.json', JSON.stringify({ gate_phase: 'tool_call' }))
  folder.write(
    'policy.yaml',
    `pack: ${JSON.stringify(pack)}
claims: { workflow_id: run.workflow, agent_id: sub, run_id: run.id }
tools:
  pay: { namespace: findings.sde, access: read }
`,
  )
  folder.write(
    'settings.yaml',
    `identity:
  jwt: { issuer: "${keys.issuer}", audience: "http://127.0.0.1:${port}/mcp", jwks: "${keys.url}", scopes: mcp:call, keep: [run, sub] }
`,
  )
  const args = [
    '-c',
    'policy.yaml',
    '--settings',
    'settings.yaml',
    '--run',
    'run.json',
    '--upstream',
    upstream.url.href,
  ]
  serving = await Serving.start(folder, ...args, '--listen', `127.0.0.1:${port}`)
})
after(async () => {
  await serving[Symbol.asyncDispose]()
  await upstream[Symbol.asyncDispose]()
  await keys[Symbol.asyncDispose]()
  authorization.close()
  folder[Symbol.dispose]()
})

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

test('the SDK finds the issuer, asks for a token of this gate, and calls; its claims are the run that the pack judges', async () => {
  const authProvider = new ClientCredentialsProvider({
    clientId: 'codex',
    clientSecret: 's',
    expectedIssuer: keys.issuer,
    scope: 'mcp:call', // for this grant the SDK asks for what it was configured with, not for what the gate named
  })
  const client = new Client({ name: 'test', version: '1' })
  await client.connect(new StreamableHTTPClientTransport(serving.url, { authProvider }) as never)
  const { content } = await client.callTool({ name: 'pay', arguments: {} })
  assert.deepEqual(content, [])
  await client.close()
  const [asked] = tokensAsked
  assert.equal(asked?.get('resource'), serving.url.href)
  assert.equal(asked?.get('scope'), 'mcp:call')
  const { decision, policy_user, input } = folder.lastDecision()
  assert.deepEqual([decision, policy_user], ['allow', 'codex'])
  assert.deepEqual((input.principal as { claims: unknown }).claims, {
    run: { id: 'r1', workflow: 'sensitive-data-remediation' },
    sub: 'codex',
  })
  assert.equal(folder.tollgate('audit', 'verify', '--ledger', 'ledger.db').status, 0)
})

test('claims of another workflow, of another agent, or none, decide otherwise', async () => {
  const audience = { aud: serving.url.href, scope: 'mcp:call' }
  const code = async (claims: object) => {
    await serving.call('pay', bearer(await keys.token({ claims: { ...audience, ...claims } })))
    return folder.lastDecision().reason_code
  }
  const run = { workflow: 'sensitive-data-remediation', id: 'r1' }
  assert.equal(await code({ sub: 'codex', run }), 'ALLOW')
  assert.equal(await code({ sub: 'windsurf', run }), 'AGENT_NOT_ALLOWED')
  assert.equal(await code({ sub: 'codex', run: { ...run, workflow: 'made-up' } }), 'WORKFLOW_UNKNOWN')
  assert.notEqual(await code({ sub: 'codex' }), 'ALLOW')
})
