/** The part of the OpenAPI document that ToolHive asks. */
import { answer, refusals, refused, text } from './openapiParts.ts'

const secured = [{ key: [] }, { keyInUrl: [] }]
const question = { required: true, content: { 'application/json': { schema: { type: 'object' } } } }

export const toolhivePaths = {
  '/v1/toolhive/webhook': {
    post: {
      summary: "ToolHive's validating webhook, v0.1.0.",
      description: 'A call that is allowed is charged, and its outcome is unknown.',
      security: secured,
      requestBody: question,
      responses: {
        200: answer('May the message pass?', {
          type: 'object',
          properties: {
            version: { const: 'v0.1.0' },
            uid: text,
            allowed: { type: 'boolean' },
            code: { type: 'integer' },
            message: text,
            reason: text,
            details: { type: 'object', additionalProperties: text },
          },
          required: ['version', 'uid', 'allowed'],
          additionalProperties: false,
        }),
        422: refused('Everything else, so that it is a no under each `failure_policy`.'),
      },
    },
  },
  '/v1/toolhive/decision': {
    post: {
      summary: "ToolHive's HTTP PDP, `httpv1`.",
      description: 'A check: it asks the same of a call and of a list.',
      security: secured,
      requestBody: question,
      responses: {
        200: answer('May the call be made?', {
          type: 'object',
          properties: { allow: { type: 'boolean' } },
          required: ['allow'],
          additionalProperties: false,
        }),
        ...refusals,
        413: refused('The body is too large.'),
        415: refused('The body is packed, or is not `application/json`.'),
        503: refused('No gate is behind this.'),
      },
    },
  },
} as const
