/** The part of the OpenAPI document about calls, their outcomes, and runs. */
import { riskLevels } from '../model/decision.ts'
import { runAttributes } from '../model/pack/attributes.ts'
import { variants } from '../model/pack/words.ts'
import { outcomeMs, outcomeMsMax, runExpirySeconds, runExpirySecondsMax } from './limits.ts'
import { answer, ref, refusals, refused, secured, text, time } from './openapiParts.ts'

const object = (properties: object, required: readonly string[], description?: string) => ({
  type: 'object',
  ...(description && { description }),
  properties,
  required,
  additionalProperties: false,
})
const body = (schema: object) => ({ required: true, content: { 'application/json': { schema } } })
const unreadable = {
  413: refused('The body is too large.'),
  415: refused('The body is packed, or is not `application/json`.'),
}
const noGate = { 503: refused('No gate is behind this, or the ledger cannot be used.') }
const runId = { name: 'id', in: 'path', required: true, schema: text, description: 'The `run_id`.' }
const decisions = { enum: ['allow', 'deny', 'hold', 'kill'] }

export const callPaths = {
  '/v1/admission': {
    post: {
      summary: 'May this call be made?',
      description: 'Anything but the status 200 with `decision: allow` is a no.',
      security: secured,
      requestBody: body(ref('Call')),
      responses: {
        200: answer('The decision, which is recorded.', ref('Decision')),
        400: refused('It is no call; the refusal is recorded under `decision_id`.'),
        ...refusals,
        ...unreadable,
        ...noGate,
      },
    },
  },
  '/v1/outcomes': {
    post: {
      summary: 'How a call ended that was reserved.',
      security: secured,
      requestBody: body(
        object({ decision_id: text, status: { enum: ['success', 'error', 'unknown'] }, detail: text }, [
          'decision_id',
          'status',
        ]),
      ),
      responses: {
        200: answer(
          'It is settled: `error` has given back what was reserved, all else keeps it spent.',
          object({ decision_id: text, status: { enum: ['success', 'error', 'unknown'] } }, ['decision_id', 'status']),
        ),
        400: refused('The body cannot be read.'),
        ...refusals,
        404: refused('No call of this key waits for an outcome under this id.'),
        409: refused('The call has its outcome already.'),
        ...unreadable,
        ...noGate,
      },
    },
  },
  '/v1/runs': {
    get: {
      summary: 'Runs that are registered.',
      security: secured,
      responses: {
        200: answer('They.', object({ runs: { type: 'array', items: ref('Run') } }, ['runs'])),
        ...refusals,
        ...noGate,
      },
    },
    post: {
      summary: 'Registers a run, or takes the place of what was registered under its id.',
      security: secured,
      requestBody: body(
        object(
          {
            run_id: text,
            attributes: ref('RunAttributes'),
            expires_in_seconds: {
              type: 'integer',
              minimum: 1,
              maximum: runExpirySecondsMax,
              default: runExpirySeconds,
            },
          },
          ['run_id', 'attributes'],
        ),
      ),
      responses: {
        200: answer('It took the place of another registration.', ref('Run')),
        201: answer('It is registered.', ref('Run')),
        400: refused('The body cannot be read, or has an attribute that runs do not have.'),
        ...refusals,
        ...unreadable,
        ...noGate,
      },
    },
  },
  '/v1/runs/{id}': {
    delete: {
      summary: 'Takes a registration back.',
      security: secured,
      parameters: [runId],
      responses: {
        200: answer('What was registered.', ref('Run')),
        ...refusals,
        404: refused('No such run is registered.'),
        ...noGate,
      },
    },
  },
} as const

export const callSchemas = {
  Call: {
    type: 'object',
    description: 'One of `tool`, `resource` and `prompt` is needed.',
    properties: {
      mode: {
        enum: ['check', 'reserve'],
        description: '`check` asks and reserves nothing; `reserve` charges the call, whose outcome is told later.',
      },
      server: text,
      tool: text,
      resource: { ...text, description: 'The URI.' },
      prompt: text,
      method: { enum: ['tools/call', 'resources/read', 'prompts/get'] },
      arguments: { type: 'object' },
      principal: ref('Principal'),
      session: text,
      run: ref('RunAttributes'),
      run_id: { ...text, description: 'A run that was registered; one that is not is none.' },
      outcome_within_ms: { type: 'integer', minimum: 1, maximum: outcomeMsMax, default: outcomeMs },
    },
    required: ['mode'],
    additionalProperties: false,
  },
  Principal: object(
    { agent: text, user: text, project: text, groups: { type: 'array', items: text }, claims: { type: 'object' } },
    [],
    'Who calls, by the word of whoever has the key.',
  ),
  RunAttributes: object(
    Object.fromEntries(runAttributes.map((name) => [name, {}])),
    [],
    'What the policy pack judges by; docs/policies/pack.md says what each is.',
  ),
  Run: object(
    { run_id: text, attributes: ref('RunAttributes'), registered_at: time, registered_by: text, expires_at: time },
    ['run_id', 'attributes', 'registered_at', 'registered_by', 'expires_at'],
  ),
  Decision: object(
    {
      decision: decisions,
      variant: { enum: variants },
      reason_code: text,
      rule: text,
      message: text,
      risk_level: { enum: riskLevels },
      approval: object({ id: text, expires_at: time, wait_ms: { type: 'integer' } }, ['id', 'expires_at']),
      retry_after_ms: { type: 'integer', minimum: 0 },
      kill_id: text,
      layers: { type: 'array', items: { type: 'object' } },
      conflicts: { type: 'array', items: { type: 'object' } },
      decision_id: text,
      revision: text,
      pack_sha256: text,
      outcome_due_at: { ...time, description: 'By when the outcome must be told; then it is unknown.' },
    },
    ['decision', 'reason_code', 'rule', 'message', 'decision_id', 'revision'],
  ),
} as const
