/** Calls in several rounds (`input_required`), as the revision of 2026-07-28 has them in place of requests to the client. */
import { randomBytes } from 'node:crypto'
import {
  createRequestStateCodec,
  inputRequired,
  type McpServer,
  type ServerContext,
} from '@modelcontextprotocol/server'
import * as z from 'zod/v4'

interface State {
  readonly round: number
  readonly name?: string
}

const codec = createRequestStateCodec<State>({ key: randomBytes(32) })
export const verifyState = codec.verify

const text = (words: string) => ({ content: [{ type: 'text' as const, text: words }] })

const asks = {
  form: (message: string, field: string, type: 'string' | 'boolean' = 'string') =>
    inputRequired.elicit({
      message,
      requestedSchema: { type: 'object', properties: { [field]: { type } }, required: [field] } as never,
    }),
  sample: (words: string) =>
    inputRequired.createMessage({
      messages: [{ role: 'user', content: { type: 'text', text: words } }],
      maxTokens: 50,
    }),
  roots: () => inputRequired.listRoots(),
}

type Answers = Readonly<Record<string, unknown>>

function answersOf(context: ServerContext): Answers {
  return context.mcpReq.inputResponses ?? {}
}

/** The field of an accepted form; undefined for anything else. */
function field(answers: Answers, key: string, name: string): unknown {
  const answer = answers[key] as { action?: string; content?: Record<string, unknown> } | undefined
  return answer?.action === 'accept' ? answer.content?.[name] : undefined
}

export function addRounds(server: McpServer): void {
  const tool = (name: string, run: (context: ServerContext) => Promise<object>) =>
    server.registerTool(`test_input_required_result_${name}`, { description: name, inputSchema: z.object({}) }, ((
      _: object,
      context: ServerContext,
    ) => run(context)) as never)

  tool('elicitation', async (context) => {
    const name = field(answersOf(context), 'user_name', 'name')
    if (typeof name === 'string') return text(`Hello, ${name}!`)
    return inputRequired({ inputRequests: { user_name: asks.form('What is your name?', 'name') } })
  })
  tool('sampling', async (context) => {
    const sample = answersOf(context)['capital_question'] as { content?: { text?: string } } | undefined
    if (sample !== undefined) return text(`Sampled: ${sample.content?.text}`)
    return inputRequired({ inputRequests: { capital_question: asks.sample('What is the capital of France?') } })
  })
  tool('list_roots', async (context) => {
    const found = answersOf(context)['client_roots'] as { roots?: unknown[] } | undefined
    if (found !== undefined) return text(`Found ${found.roots?.length} root(s)`)
    return inputRequired({ inputRequests: { client_roots: asks.roots() } })
  })
  for (const name of ['request_state', 'tampered_state'])
    tool(name, async (context) => {
      const state = context.mcpReq.requestState<State>()
      if (state !== undefined && field(answersOf(context), 'confirm', 'ok') === true)
        return text('state-ok: the state was verified')
      const requestState = await codec.mint({ round: 1 }, context)
      return inputRequired({ inputRequests: { confirm: asks.form('Please confirm', 'ok', 'boolean') }, requestState })
    })
  tool('multiple_inputs', async (context) => {
    const answers = answersOf(context)
    const { user_name, greeting, client_roots } = answers
    if (user_name && greeting && client_roots) return text(`All three for ${field(answers, 'user_name', 'name')}`)
    const inputRequests = {
      user_name: asks.form('What is your name?', 'name'),
      greeting: asks.sample('Generate a greeting'),
      client_roots: asks.roots(),
    }
    return inputRequired({ inputRequests, requestState: await codec.mint({ round: 1 }, context) })
  })
  tool('multi_round', async (context) => {
    const { round = 0, name } = context.mcpReq.requestState<State>() ?? {}
    const answers = answersOf(context)
    const color = field(answers, 'step2', 'color')
    if (round === 2 && typeof color === 'string') return text(`${name} likes ${color}`)
    const given = field(answers, 'step1', 'name')
    if (round === 1 && typeof given === 'string') {
      const inputRequests = { step2: asks.form('What is your favorite color?', 'color') }
      return inputRequired({ inputRequests, requestState: await codec.mint({ round: 2, name: given }, context) })
    }
    const inputRequests = { step1: asks.form('What is your name?', 'name') }
    return inputRequired({ inputRequests, requestState: await codec.mint({ round: 1 }, context) })
  })
  tool('capabilities', async (context) => {
    const answers = Object.keys(answersOf(context))
    if (answers.length > 0) return text(`capabilities-ok: ${answers.join(',')}`)
    const declared = ((context.mcpReq.envelope as Readonly<Record<string, unknown>> | undefined)?.[
      'io.modelcontextprotocol/clientCapabilities'
    ] ?? {}) as Answers
    const inputRequests = {
      ...(declared['elicitation'] !== undefined && { elicit_input: asks.form('Say something', 'value') }),
      ...(declared['sampling'] !== undefined && { sample_input: asks.sample('Say something') }),
    }
    if (Object.keys(inputRequests).length === 0) return text('nothing can be asked')
    return inputRequired({ inputRequests, requestState: await codec.mint({ round: 1 }, context) })
  })
  server.registerPrompt('test_input_required_result_prompt', { description: 'asks first' }, (async (
    context: ServerContext,
  ) => {
    const topic = field(answersOf(context), 'user_context', 'context')
    if (typeof topic !== 'string')
      return inputRequired({ inputRequests: { user_context: asks.form('What is it about?', 'context') } })
    return { messages: [{ role: 'user', content: { type: 'text', text: `About ${topic}` } }] }
  }) as never)
}
