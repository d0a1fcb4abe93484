/** `tollgate mcp` with real SDK clients of both eras. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Client as ClientV2 } from '@modelcontextprotocol/client'
import { StdioClientTransport as StdioV2 } from '@modelcontextprotocol/client/stdio'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport as StdioV1 } from '@modelcontextprotocol/sdk/client/stdio.js'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const fixture = here('../pack/fixtures/mcp-gateway-policy.json')
const pack = JSON.parse(readFileSync(fixture, 'utf8'))
const command = (...more: readonly string[]) => ({
  command: process.execPath,
  args: [here('../../src/cli/main.ts'), 'mcp', '-c', fixture, ...more],
})

interface Connected {
  listTools(): Promise<{ tools: readonly { name: string; annotations?: object | undefined }[] }>
  callTool(params: { name: string; arguments: Record<string, unknown> }): Promise<unknown>
  close(): Promise<void>
}

interface Result {
  readonly isError?: boolean
  readonly structuredContent: Readonly<Record<string, unknown>>
  readonly content: readonly { readonly text: string }[]
}

const info = { name: 'test', version: '1' }
const eras: Readonly<Record<string, (...more: string[]) => Promise<Connected>>> = {
  'the era of sessions (SDK v1)': async (...more) => {
    const client = new ClientV1(info)
    await client.connect(new StdioV1(command(...more)))
    return client as unknown as Connected
  },
  'the era of sessions (SDK v2)': async (...more) => {
    const client = new ClientV2(info, { versionNegotiation: { mode: 'legacy' } })
    await client.connect(new StdioV2(command(...more)))
    return client as unknown as Connected
  },
  'the stateless era (SDK v2)': async (...more) => {
    const client = new ClientV2(info, { versionNegotiation: { mode: { pin: '2026-07-28' } } })
    await client.connect(new StdioV2(command(...more)))
    return client as unknown as Connected
  },
}

const reading = {
  workflow_id: 'sensitive-data-remediation',
  agent_id: 'codex',
  run_id: 'r1',
  tool_namespace: 'findings.sde',
  tool_access_mode: 'read',
  gate_phase: 'tool_call',
}

for (const [era, connect] of Object.entries(eras)) {
  test(`the pack and its evaluator are tools that only read, in ${era}`, async () => {
    const client = await connect()
    try {
      const { tools } = await client.listTools()
      assert.deepEqual(
        tools.map(({ name }) => name),
        ['recipes_mcp_gateway_policy', 'recipes_evaluate_mcp_gateway_decision'],
      )
      for (const { annotations } of tools)
        assert.deepEqual(annotations, {
          readOnlyHint: true,
          destructiveHint: false,
          idempotentHint: true,
          openWorldHint: false,
        })

      const whole = (await client.callTool({ name: 'recipes_mcp_gateway_policy', arguments: {} })) as Result
      assert.deepEqual(whole.structuredContent, pack)
      const one = { name: 'recipes_mcp_gateway_policy', arguments: { workflow_id: 'base-image-remediation' } }
      assert.equal(((await client.callTool(one)) as Result).structuredContent['workflow_id'], 'base-image-remediation')
      const none = { ...one, arguments: { workflow_id: 'other' } }
      assert.equal(((await client.callTool(none)) as Result).isError, true)

      const asked = async (run: Record<string, unknown>) => {
        const call = { name: 'recipes_evaluate_mcp_gateway_decision', arguments: run }
        const { structuredContent, content } = (await client.callTool(call)) as Result
        assert.deepEqual(JSON.parse(content[0]?.text ?? ''), structuredContent)
        const { decision, variant, reason_code, pack_sha256 } = structuredContent
        assert.match(String(pack_sha256), /^[0-9a-f]{64}$/)
        return [decision, variant, reason_code]
      }
      assert.deepEqual(await asked(reading), ['allow', 'allow', 'ALLOW'])
      assert.deepEqual(await asked({ ...reading, tool_access_mode: 'write_branch' }), [
        'deny',
        'deny',
        'TOOL_SCOPE_NOT_ALLOWED',
      ])
      assert.deepEqual(await asked({ ...reading, workflow_id: 7 }), ['deny', 'deny', 'WORKFLOW_ID_INVALID'])
      assert.deepEqual(await asked({ ...reading, kill_signal: 'x' }), ['kill', 'kill_session', 'KILL_SIGNAL'])
      const quarantine = {
        ...reading,
        workflow_id: 'artifact-cache-quarantine',
        tool_namespace: 'registries.quarantine',
        tool_access_mode: 'approval_required',
      }
      assert.deepEqual(await asked(quarantine), ['hold', 'hold_for_approval', 'APPROVAL_REQUIRED'])
      assert.deepEqual(await asked({}), ['deny', 'deny', 'WORKFLOW_ID_INVALID'])
    } finally {
      await client.close()
    }
  })
}

test('the tools can be called otherwise', async () => {
  const client = await (eras['the era of sessions (SDK v1)'] as (typeof eras)[string])(
    '--policy-tool',
    'pack',
    '--evaluate-tool',
    'ask',
  )
  const { tools } = await client.listTools()
  await client.close()
  assert.deepEqual(
    tools.map(({ name }) => name),
    ['pack', 'ask'],
  )
})

for (const [said, names, told] of [
  ['one name for both', ['--policy-tool', 'ask', '--evaluate-tool', 'ask'], /are two tools: give them different names/],
  ['a name with a space', ['--policy-tool', 'the pack'], /the name of a tool is 1 to 128 letters.*got `the pack`/],
  ['an empty name', ['--evaluate-tool', ''], /the name of a tool is 1 to 128 letters.*got ``/],
] as const)
  test(`a client would get no tools: ${said} is an error at the start`, () => {
    const { command: node, args } = command(...names)
    const { status, stderr } = spawnSync(node, args, { encoding: 'utf8', input: '' })
    assert.equal(status, 2)
    assert.match(stderr, told)
  })

test('whoever asks the evaluator says of the run what claims would say at the gate', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-mcp-'))
  t.after(() => rmSync(folder, { recursive: true }))
  cpSync(fixture, join(folder, 'pack.json'))
  const settings = join(folder, 'gate.yaml')
  writeFileSync(settings, 'pack: pack.json\nclaims: { workflow_id: workflow, agent_id: sub }\n')
  const client = await (eras['the era of sessions (SDK v1)'] as (typeof eras)[string])('-c', settings)
  const call = { name: 'recipes_evaluate_mcp_gateway_decision', arguments: reading }
  const { structuredContent } = (await client.callTool(call)) as Result
  await client.close()
  assert.equal(structuredContent['reason_code'], 'ALLOW')
})
