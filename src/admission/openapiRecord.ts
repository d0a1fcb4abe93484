/** The part of the OpenAPI document about the data API of OPA, what was decided, the policy, and metrics. */
import { decisionsListedItems, decisionsListedItemsMax } from './limits.ts'
import { answer, ref, refusals, refused, secured, text, textOrNull, time } from './openapiParts.ts'

const query = (name: string, schema: object, description: string) => ({ name, in: 'query', schema, description })
const same = (name: string) => query(name, text, 'As the record has it.')
const opaRefused = (description: string) => answer(description, ref('OpaError'))
const noGate = { 503: refused('No gate is behind this, or the ledger cannot be used.') }
const flag = (name: string, description: string) => query(name, { type: 'boolean' }, description)

export const recordPaths = {
  '/v1/data/{path}': {
    post: {
      summary: 'A document, as the data API of OPA gives it.',
      description:
        '`tollgate/decision` is what the compiled policy decides of an input document; `tollgate/admission` what the gate decides of a call, as a check, on record. A path goes on into the document. Every other is undefined.',
      security: secured,
      parameters: [
        { name: 'path', in: 'path', required: true, schema: text, description: 'With slashes in it.' },
        flag('pretty', 'On several lines.'),
        flag('metrics', 'With how long it took.'),
        flag(
          'strict-builtin-errors',
          'Taken and of no effect: a policy that fails gives no decision here in any case.',
        ),
      ],
      requestBody: {
        required: false,
        content: { 'application/json': { schema: { type: 'object', properties: { input: {} } } } },
      },
      responses: {
        200: answer('The document under `result`; where it is undefined there is none.', {
          type: 'object',
          properties: {
            result: {},
            decision_id: text,
            metrics: { type: 'object', additionalProperties: { type: 'number' } },
            warning: { type: 'object', properties: { code: text, message: text }, required: ['code', 'message'] },
          },
          additionalProperties: false,
        }),
        400: opaRefused('The body cannot be read, or the input is no call.'),
        401: opaRefused("No credential, or nobody's."),
        403: opaRefused('The key may not do this.'),
        413: opaRefused('The body is too large.'),
        415: opaRefused('The body is packed, or is not `application/json`.'),
        429: opaRefused('Too much at once.'),
        500: opaRefused('The policy gave no decision.'),
        503: opaRefused('No gate is behind this.'),
      },
    },
  },
  '/v1/decisions': {
    get: {
      summary: 'What was decided, in the order in which it was.',
      security: secured,
      parameters: [
        ...['session', 'agent', 'user', 'project', 'server', 'tool', 'reason'].map(same),
        query('decision', { enum: ['allow', 'deny', 'hold', 'kill'] }, 'With this decision.'),
        query('since', time, 'From this instant on.'),
        query('until', time, 'Before this instant.'),
        query(
          'limit',
          { type: 'integer', minimum: 1, maximum: decisionsListedItemsMax, default: decisionsListedItems },
          'At most so many; there may be fewer, and more after them.',
        ),
        query('cursor', text, 'Where the answer before this one ended.'),
        query(
          'format',
          { enum: ['json', 'jsonl'] },
          '`jsonl`: one a line, and the cursor in the header `next-cursor`.',
        ),
      ],
      responses: {
        200: {
          description: 'They. At the end of the record there is no cursor.',
          content: {
            'application/json': {
              schema: {
                type: 'object',
                properties: { decisions: { type: 'array', items: ref('DecisionRecord') }, next_cursor: textOrNull },
                required: ['decisions', 'next_cursor'],
                additionalProperties: false,
              },
            },
            'application/jsonl': { schema: text },
          },
        },
        400: refused('A parameter cannot be read, or is not known.'),
        ...refusals,
        503: refused('The ledger cannot be read.'),
      },
    },
  },
  '/v1/decisions/{id}': {
    get: {
      summary: 'One decision or check, and how the call ended.',
      security: secured,
      parameters: [{ name: 'id', in: 'path', required: true, schema: text, description: 'The `decision_id`.' }],
      responses: {
        200: answer('It.', ref('DecisionRecord')),
        ...refusals,
        404: refused('There is no such decision.'),
        503: refused('The ledger cannot be read.'),
      },
    },
  },
  '/v1/policy': {
    get: {
      summary: 'Which policy decides now.',
      security: secured,
      responses: {
        200: answer('It: of layers each, and none where none is active.', ref('Policy')),
        ...refusals,
        ...noGate,
      },
    },
  },
  '/metrics': {
    get: {
      summary: 'How the gate stands and what it did, for Prometheus.',
      security: secured,
      responses: {
        200: { description: 'The text format of Prometheus.', content: { 'text/plain': { schema: text } } },
        ...refusals,
        ...noGate,
      },
    },
  },
} as const

export const recordSchemas = {
  OpaError: {
    type: 'object',
    properties: { code: text, message: text },
    required: ['code', 'message'],
    additionalProperties: false,
  },
  DecisionRecord: {
    type: 'object',
    description: 'As `tollgate audit --format json` shows it: docs/record.md has every member.',
    properties: {
      seq: { type: 'integer', minimum: 1 },
      event_type: text,
      timestamp: time,
      decision_id: textOrNull,
      decision: { enum: ['allow', 'deny', 'hold', 'kill'] },
      reason_code: text,
      result_status: textOrNull,
      hash: text,
      previous_hash: text,
    },
    required: ['seq', 'event_type', 'timestamp', 'decision_id', 'decision', 'reason_code', 'hash', 'previous_hash'],
  },
  Policy: {
    type: 'object',
    properties: {
      revision: { ...text, description: 'Empty where none is active: every call is denied.' },
      policies: {
        type: 'array',
        items: {
          type: 'object',
          properties: {
            layer: text,
            id: text,
            version: text,
            revision: text,
            strategy: text,
            sources: { type: 'array', items: text },
            wasm_sha256: text,
          },
          required: ['id', 'version', 'revision', 'strategy', 'sources', 'wasm_sha256'],
          additionalProperties: false,
        },
      },
    },
    required: ['revision', 'policies'],
    additionalProperties: false,
  },
} as const
