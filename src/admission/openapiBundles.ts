/** How it stands with a bundle, in the document of the API: OPA's words for it, and ours beside them. */
import { text, time } from './openapiParts.ts'

export const bundleStatus = {
  type: 'object',
  properties: {
    name: text,
    type: { const: 'snapshot' },
    place: { ...text, description: 'Where it is asked for.' },
    active_revision: { ...text, description: 'Of its manifest; empty while none decides.' },
    sequence: { type: 'integer', description: 'That was signed: no lower one is believed.' },
    expires_at: time,
    kept: { type: 'boolean', description: 'It was kept on disk, and nothing new came from its place since the start.' },
    size: { type: 'integer', minimum: 0 },
    last_request: time,
    last_successful_request: time,
    last_successful_download: time,
    last_successful_activation: time,
    code: { ...text, description: 'Why the last question brought nothing that may decide, as in docs/errors.md.' },
    message: text,
    http_code: { type: 'integer' },
  },
  required: ['name', 'type', 'place', 'active_revision', 'kept'],
  additionalProperties: false,
} as const
