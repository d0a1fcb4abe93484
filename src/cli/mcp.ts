/**
 * `tollgate mcp`: a policy pack and its evaluator as MCP tools over stdio, for hosts that ask before they act. They only
 * read: what is evaluated here is recorded nowhere, reserves nothing and opens no gate, whoever says what of himself.
 */
import { hash } from 'node:crypto'
import { fromJsonSchema, McpServer } from '@modelcontextprotocol/server'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import type { Artifact } from '../bundle/artifact.ts'
import type { Call } from '../model/call.ts'
import { canonical, type Json } from '../model/canonical.ts'
import { messageOf, TollgateError } from '../model/errors.ts'
import { inputOf } from '../model/input.ts'
import { inputBytesMax } from '../model/limits.ts'
import { runAttributes } from '../model/pack/attributes.ts'
import type { PackPolicy } from '../model/pack/policy.ts'
import { runtimeAttributes } from '../model/pack/words.ts'
import type { Policy } from '../model/policy.ts'
import { planFor } from '../model/strategy.ts'
import { readValue } from '../pack/manifest.ts'
import type { ActivePolicy } from '../pep/gate.ts'
import { activePolicy, loadPolicyFile } from '../runtime/policyFile.ts'
import { version } from '../runtime/version.ts'
import { UsageError } from './exit.ts'
import { withMistakesTold } from './policies.ts'
import { paint } from './terminal.ts'

export interface McpOptions {
  readonly config: string
  readonly policyTool: string
  readonly evaluateTool: string
}

export async function mcp({ config, policyTool, evaluateTool }: McpOptions): Promise<void> {
  checkNames([policyTool, evaluateTool])
  const artifact = await withMistakesTold([config], () => loadPolicyFile(config))
  const policy = packOf(artifact.policy)
  const active = activePolicy(artifact)
  const pack = packValue(artifact, policy)
  serveStdio(() => {
    const server = new McpServer({ name: 'tollgate', version })
    server.registerTool(policyTool, policyDefinition, (args) => answer(() => part(pack, args as Arguments)))
    server.registerTool(evaluateTool, evaluateDefinition, (args) =>
      answer(() => evaluated(active, policy, args as Arguments)),
    )
    return server
  })
  await new Promise((resolve) => process.stdin.once('end', resolve).once('close', resolve))
}

/** Only a client would find out otherwise, and be told nothing but that something went wrong. */
function checkNames(names: readonly string[]): void {
  const odd = names.find((name) => !/^[A-Za-z0-9_./-]{1,128}$/.test(name))
  if (odd !== undefined)
    throw new UsageError(
      `the name of a tool is 1 to 128 letters, digits, \`_\`, \`-\`, \`.\` and \`/\`, got \`${odd}\``,
    )
  if (new Set(names).size < names.length)
    throw new UsageError('`--policy-tool` and `--evaluate-tool` are two tools: give them different names')
}

type Arguments = { readonly [key: string]: Json }

const readOnly = { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false }

const policyDefinition = {
  title: 'Policy pack',
  description: 'The policy pack that is enforced here, or what it says of one workflow. Reads only.',
  annotations: readOnly,
  inputSchema: fromJsonSchema({
    type: 'object',
    properties: { workflow_id: { type: 'string', description: 'Only this workflow.' } },
    additionalProperties: false,
  }),
}

/** No types: an attribute that is odd is answered by a decision with its reason, as at the gate. */
const evaluateDefinition = {
  title: 'Evaluate one call',
  description:
    'The decision that the policy pack gives on one call, from the runtime attributes of its run. Reads only: nothing is ' +
    'recorded or reserved, and an answer here lets no call through.',
  annotations: readOnly,
  inputSchema: fromJsonSchema({
    type: 'object',
    properties: {
      ...Object.fromEntries(
        runAttributes.map((name) => [
          name,
          {
            description: runtimeAttributes.some((one) => one === name)
              ? 'A runtime attribute of the pack.'
              : 'Optional.',
          },
        ]),
      ),
      server: {
        type: 'string',
        description: 'The MCP server of the tool, where the settings of the pack speak of it.',
      },
      tool: { type: 'string', description: 'The tool, where the settings of the pack say what it is.' },
      arguments: { type: 'object', description: 'Its arguments.' },
    },
  }),
}

function packOf(policy: Policy): PackPolicy {
  if (policy.strategy === 'pack') return policy
  throw new TollgateError('no_policy_pack', `the policy \`${policy.id}\` is no policy pack`)
}

/** The pack as it is in its file, found by its hash among the sources. */
function packValue({ sources }: Artifact, { sha256 }: PackPolicy): Arguments {
  const source = sources.find(({ text }) => hash('sha256', text) === sha256)
  const value = source && readValue(source.name, Buffer.from(source.text)).value
  if (value === undefined) throw new TypeError('a compiled pack has its source')
  return value as Arguments
}

function part(pack: Arguments, { workflow_id: id }: Arguments): Arguments {
  if (id === undefined) return pack
  const workflows = pack['workflow_policies'] as readonly Arguments[]
  const found = workflows.find((workflow) => workflow['workflow_id'] === id)
  if (!found) throw new Error('the policy pack has no such workflow')
  return found
}

/** Whoever asks here says all of the run: what claims would say of it, too. */
function evaluated(active: ActivePolicy, { claims: _, ...policy }: PackPolicy, given: Arguments): object {
  const { server = '', tool = '', arguments: args = {}, ...run } = given
  const call: Call = {
    method: 'tools/call',
    server: server as string,
    name: tool as string,
    arguments: args as Call['arguments'],
    principal: {},
    session: '',
    run,
  }
  const input = canonical(inputOf(call, planFor(policy, call), {}, {}, Date.now()) as unknown as Json)
  if (Buffer.byteLength(input) > inputBytesMax) throw new Error('the attributes are too large to be judged')
  return { ...active.evaluate(input), pack_sha256: policy.sha256, revision: active.revision }
}

function answer(work: () => object) {
  try {
    const structuredContent = { ...work() }
    return { structuredContent, content: [{ type: 'text' as const, text: JSON.stringify(structuredContent) }] }
  } catch (error) {
    process.stderr.write(`${paint('cyan', 'tollgate:', process.stderr)} ${messageOf(error)}\n`)
    return { isError: true, content: [{ type: 'text' as const, text: messageOf(error) }] }
  }
}
