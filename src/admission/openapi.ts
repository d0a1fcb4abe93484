/** What the admission API is, for programs that read it: OpenAPI 3.1. A test holds it against the routes and their answers. */
import { approvalStates } from '../model/approval.ts'
import { riskLevels } from '../model/decision.ts'
import { killKinds } from '../model/kill.ts'
import { approvalReasonCharsMax } from '../model/limits.ts'
import { bundleStatus } from './openapiBundles.ts'
import { callPaths, callSchemas } from './openapiCalls.ts'
import { answer, ref, refusals, refused, secured, text, textOrNull, time } from './openapiParts.ts'
import { recordPaths, recordSchemas } from './openapiRecord.ts'
import { toolhivePaths } from './openapiToolHive.ts'

const id = { name: 'id', in: 'path', required: true, schema: text, description: 'As the refusal and the list say it.' }

const answering = (summary: string, description: string) => ({
  summary,
  description,
  security: secured,
  parameters: [id],
  requestBody: {
    required: false,
    content: {
      'application/json': {
        schema: {
          type: 'object',
          properties: { reason: { type: 'string', maxLength: approvalReasonCharsMax } },
          additionalProperties: false,
        },
      },
    },
  },
  responses: {
    200: answer('The request as it is now: `pending` still, where others have to approve too.', ref('Approval')),
    400: refused('The body, or the reason, cannot be read.'),
    413: refused('The body is too large.'),
    415: refused('The body is packed, or is not `application/json`.'),
    ...refusals,
    403: refused('The key may not, or the policy wants somebody else than who asked.'),
    404: refused('There is no such request.'),
    409: refused('It was answered, used, or has expired; or the same person has approved it already.'),
    503: refused('The ledger cannot be written.'),
  },
})

const killMembers = {
  id: text,
  target: { enum: killKinds },
  session_id: text,
  principal: { type: 'object' },
  method: text,
  name: text,
  server: text,
  run_id: text,
  since: time,
  said_by: text,
  said_by_known_by: text,
  said_by_os_user: textOrNull,
  reason: textOrNull,
  decision_id: textOrNull,
} as const

const count = { type: 'integer', minimum: 0 } as const
const counts = (...names: readonly string[]) => ({
  type: 'object',
  properties: Object.fromEntries(names.map((name) => [name, count])),
  required: names,
  additionalProperties: false,
})

const sinceParameter = {
  name: 'since',
  in: 'query',
  description: 'Only what was recorded from this time on.',
  schema: time,
}

const reasonText = { type: 'string', maxLength: approvalReasonCharsMax } as const

const killPaths = {
  '/v1/kills': {
    get: {
      summary: 'What is stopped now, in the order in which it was said.',
      security: secured,
      responses: {
        200: answer('The kills.', {
          type: 'object',
          properties: { kills: { type: 'array', items: ref('Kill') } },
          required: ['kills'],
          additionalProperties: false,
        }),
        ...refusals,
      },
    },
    post: {
      summary: 'Stops a session, an agent, a user, a project, a tool or everything.',
      description: 'In every gate that shares the ledger, from its next message on, until it is lifted.',
      security: secured,
      requestBody: {
        required: true,
        content: {
          'application/json': {
            schema: {
              type: 'object',
              properties: {
                session: text,
                agent: text,
                user: text,
                project: text,
                run: text,
                server: text,
                tool: { ...text, description: 'A name, or a pattern of names as `delete_*`.' },
                all: { const: true },
                reason: reasonText,
              },
              oneOf: killKinds.map((kind) => ({ required: [kind] })),
              additionalProperties: false,
            },
          },
        },
      },
      responses: {
        200: answer('It was stopped before: by whom, and why.', ref('Kill')),
        201: answer('It is stopped.', ref('Kill')),
        400: refused('The body does not name one thing, or cannot be written down.'),
        ...refusals,
        413: refused('The body is too large.'),
        415: refused('The body is packed, or is not `application/json`.'),
        503: refused('The ledger cannot be written: nothing was stopped.'),
      },
    },
  },
  '/v1/kills/{id}': {
    delete: {
      summary: 'Lifts a kill: nothing else ends one.',
      security: secured,
      parameters: [id, { name: 'reason', in: 'query', schema: reasonText }],
      responses: {
        200: answer('The kill that is over.', ref('Kill')),
        400: refused('The reason cannot be written down.'),
        ...refusals,
        404: refused('There is no such kill.'),
        503: refused('The ledger cannot be written: nothing was lifted.'),
      },
    },
  },
  '/v1/sessions': {
    get: {
      summary: 'What sessions did and spent, in the order in which they were last heard of; of too many, the last.',
      security: secured,
      parameters: [sinceParameter],
      responses: {
        200: answer('The sessions.', {
          type: 'object',
          properties: { sessions: { type: 'array', items: ref('Session') } },
          required: ['sessions'],
          additionalProperties: false,
        }),
        400: refused('`since` is no time.'),
        ...refusals,
      },
    },
  },
  '/v1/sessions/{id}': {
    get: {
      summary: 'One session.',
      security: secured,
      parameters: [id, sinceParameter],
      responses: {
        200: answer('The session.', ref('Session')),
        ...refusals,
        404: refused('No record is of it.'),
      },
    },
  },
}

const killSchemas = {
  Kill: {
    type: 'object',
    properties: killMembers,
    required: ['id', 'target', 'since', 'said_by', 'said_by_known_by', 'said_by_os_user', 'reason', 'decision_id'],
    additionalProperties: false,
  },
  Session: {
    type: 'object',
    properties: {
      session_id: text,
      first_at: time,
      last_at: time,
      principals: { type: 'array', items: { type: 'object' } },
      servers: { type: 'array', items: text },
      calls: counts('allowed', 'denied', 'held', 'killed'),
      refused_messages: count,
      outcomes: counts('success', 'error', 'unknown', 'open'),
      spent: { type: 'array', items: ref('Spent') },
      uncounted_calls: count,
      runs: { type: 'array', items: text },
      stopped: { anyOf: [ref('Kill'), { type: 'null' }] },
    },
    required: [
      'session_id',
      'first_at',
      'last_at',
      'principals',
      'servers',
      'calls',
      'refused_messages',
      'outcomes',
      'spent',
      'uncounted_calls',
      'runs',
      'stopped',
    ],
    additionalProperties: false,
  },
  Spent: {
    type: 'object',
    properties: {
      policy_id: text,
      counter: text,
      unit: { enum: ['calls', 'amount'] },
      currency: textOrNull,
      used: { type: ['integer', 'string'] },
    },
    required: ['policy_id', 'counter', 'unit', 'currency', 'used'],
    additionalProperties: false,
  },
} as const

const approvalMembers = {
  id: text,
  decision_id: text,
  state: { enum: approvalStates },
  method: text,
  asked_method: text,
  server: text,
  name: text,
  arguments: { description: 'The arguments; `null` once the request is over.' },
  arguments_sha256: text,
  principal: { type: 'object' },
  session_id: text,
  rule: text,
  message: text,
  holds: { description: 'All that holds the call: names of rules, each with a digest of what it says.' },
  policy_id: text,
  policy_version: text,
  revision: text,
  risk_level: { enum: riskLevels },
  requested_at: time,
  expires_at: time,
  quorum: { type: 'integer', minimum: 1 },
  not_requester: { type: 'boolean' },
  approvals: { type: 'integer', minimum: 0 },
  answers: { type: 'array', items: ref('Answer') },
} as const

const { asked_method: _, risk_level: __, ...alwaysThere } = approvalMembers

export const openapi = {
  openapi: '3.1.0',
  info: {
    title: 'Tollgate admission API',
    version: '1',
    description:
      'Decisions for whoever makes the calls, runs, requests to persons, the kill switch, sessions, and how the gate is. The page for persons stands beside it.',
  },
  paths: {
    '/healthz': {
      get: {
        summary: 'Is the process alive?',
        responses: { 200: answer('It is.', ref('Health')) },
      },
    },
    '/readyz': {
      get: {
        summary: 'Can calls be decided?',
        responses: {
          200: answer('They can.', ref('Health')),
          503: answer('They cannot; `status` says why.', ref('Health')),
        },
      },
    },
    '/openapi.json': {
      get: { summary: 'This document.', responses: { 200: answer('It.', { type: 'object' }) } },
    },
    '/v1/status': {
      get: {
        summary: 'What the gate is and does.',
        security: secured,
        responses: { 200: answer('Its status.', ref('Status')), ...refusals },
      },
    },
    '/v1/approvals': {
      get: {
        summary: 'Requests, in the order in which they were made.',
        security: secured,
        parameters: [
          {
            name: 'state',
            in: 'query',
            description: 'In these states; `pending`, if not given. May stand several times.',
            schema: { type: 'array', items: { enum: approvalStates } },
          },
        ],
        responses: {
          200: answer('The requests.', {
            type: 'object',
            properties: { approvals: { type: 'array', items: ref('Listed') } },
            required: ['approvals'],
            additionalProperties: false,
          }),
          400: refused('A state that there is not.'),
          ...refusals,
        },
      },
    },
    '/v1/approvals/{id}': {
      get: {
        summary: 'One request, with all that a person has to know who answers it.',
        security: secured,
        parameters: [id],
        responses: {
          200: answer('The request.', ref('Approval')),
          ...refusals,
          404: refused('There is no such request.'),
        },
      },
    },
    '/v1/approvals/{id}/approve': {
      post: answering('Approves the call.', 'Lets it through, once, when it is made again or waits, and in time.'),
    },
    '/v1/approvals/{id}/reject': {
      post: answering('Rejects the call.', 'Refuses it until the request would have expired.'),
    },
    ...killPaths,
    '/v1/callbacks/webhook': {
      post: {
        summary: 'An answer that a program brings of a person whom it knows.',
        description: 'Signed as Standard Webhooks has it, with the secret of the webhook. Each counts once.',
        security: [{ webhook: [] }],
        requestBody: { required: true, content: { 'application/json': { schema: ref('Said') } } },
        responses: {
          200: answer('The request as it is now.', ref('Approval')),
          400: refused('The body, or the reason, cannot be read.'),
          401: refused('The signature is missing or wrong, or the callback is not of now.'),
          403: refused('The policy wants somebody else than who asked.'),
          404: refused('There is no such request, or no webhook is set up.'),
          409: refused('It was heard already; or the request is not pending any more, or approved by the same person.'),
          503: refused('The ledger cannot be written: send it again.'),
        },
      },
    },
    '/v1/callbacks/slack': {
      post: {
        summary: 'A press of a button, as Slack brings it (a form with `payload`).',
        description: 'Signed by Slack (`v0`). What comes of it is said in Slack.',
        security: [{ slack: [] }],
        responses: {
          200: { description: 'It was heard.' },
          400: refused('It is no press of a button.'),
          401: refused('The signature is missing or wrong, or the request is not of now.'),
          404: refused('Slack is not set up.'),
          409: refused('It was heard already.'),
          503: refused('The ledger cannot be written.'),
        },
      },
    },
    ...callPaths,
    ...recordPaths,
    ...toolhivePaths,
  },
  components: {
    securitySchemes: {
      webhook: {
        type: 'apiKey',
        in: 'header',
        name: 'webhook-signature',
        description: 'With `webhook-id` and `webhook-timestamp`.',
      },
      slack: {
        type: 'apiKey',
        in: 'header',
        name: 'x-slack-signature',
        description: 'With `x-slack-request-timestamp`.',
      },
      keyInUrl: { type: 'http', scheme: 'basic', description: 'The key as the password; the name says nothing.' },
      key: { type: 'http', scheme: 'bearer', description: 'A key of the file of `--approvers`.' },
    },
    schemas: {
      ...callSchemas,
      ...recordSchemas,
      Health: {
        type: 'object',
        properties: { status: text },
        required: ['status'],
        additionalProperties: false,
      },
      Status: {
        type: 'object',
        properties: {
          version: text,
          revision: { ...textOrNull, description: 'Of the policy; `null` where only a ledger stands behind this.' },
          servers: { type: 'array', items: text },
          started_at: time,
          kept_open: { type: 'integer', minimum: 0 },
          files_unread: {
            type: 'array',
            description: 'Files of keys and credentials that cannot be read again.',
            items: {
              type: 'object',
              properties: {
                file: text,
                since: time,
                counts_until: {
                  ...textOrNull,
                  description: 'Until then what it said before counts; `null` where that does not end.',
                },
              },
              required: ['file', 'since', 'counts_until'],
              additionalProperties: false,
            },
          },
          approvals_pending: { type: 'integer', minimum: 0 },
          bundles: {
            type: 'object',
            description: 'By name, where the policy comes in bundles.',
            additionalProperties: ref('BundleStatus'),
          },
          discovery: ref('BundleStatus'),
        },
        required: ['version', 'revision', 'servers', 'started_at', 'kept_open', 'files_unread', 'approvals_pending'],
        additionalProperties: false,
      },
      BundleStatus: bundleStatus,
      Listed: {
        type: 'object',
        properties: approvalMembers,
        required: Object.keys(alwaysThere),
        additionalProperties: false,
      },
      Approval: {
        type: 'object',
        properties: {
          ...approvalMembers,
          input: { description: 'What the policy read when it held the call first; `null` where that is not known.' },
        },
        required: [...Object.keys(alwaysThere), 'input'],
        additionalProperties: false,
      },
      Answer: {
        type: 'object',
        properties: {
          says: { enum: ['approve', 'reject'] },
          approver: text,
          approver_known_by: text,
          approver_os_user: textOrNull,
          at: time,
          reason: textOrNull,
        },
        required: ['says', 'approver', 'approver_known_by', 'approver_os_user', 'at', 'reason'],
        additionalProperties: false,
      },
      Said: {
        type: 'object',
        properties: { id: text, says: { enum: ['approve', 'reject'] }, approver: text, reason: text },
        required: ['id', 'says', 'approver'],
        additionalProperties: false,
      },
      ...killSchemas,
      Error: {
        type: 'object',
        properties: {
          error: {
            type: 'object',
            properties: { code: text, message: text, decision_id: text },
            required: ['code', 'message'],
            additionalProperties: false,
          },
        },
        required: ['error'],
        additionalProperties: false,
      },
    },
  },
} as const
