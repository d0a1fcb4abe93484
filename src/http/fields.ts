/** The headers that go on, in each direction: those that mean something to MCP. Everything else stays here. */
import type { IncomingHttpHeaders } from 'node:http'

export type Fields = Readonly<Record<string, string>>

/**
 * A caller's credentials (`Authorization`, `Cookie`, keys under any name) are for the gate. So what is passed on is
 * listed, instead of what is not.
 */
const passedOn: ReadonlySet<string> = new Set([
  'accept',
  'accept-language',
  'last-event-id',
  'mcp-protocol-version',
  'mcp-method',
  'mcp-name',
  'traceparent',
  'tracestate',
  'baggage',
])

const passedBack: readonly string[] = ['mcp-protocol-version', 'retry-after', 'allow']

export const sessionField = 'mcp-session-id'

/** Parameters of tools that are mirrored in headers; those that nobody knows must go on as well. */
export const parameterPrefix = 'mcp-param-'

/** What of a caller's headers goes to the upstream. */
export function fieldsForUpstream(headers: IncomingHttpHeaders, session: string | undefined): Record<string, string> {
  const fields: Record<string, string> = {}
  for (const name of Object.keys(headers)) {
    const value = headers[name]
    if (typeof value === 'string' && (passedOn.has(name) || name.startsWith(parameterPrefix))) fields[name] = value
  }
  if (session !== undefined) fields[sessionField] = session
  return fields
}

/** What of an upstream's headers goes to the caller. */
export function fieldsForCaller(headers: IncomingHttpHeaders): Record<string, string> {
  const fields: Record<string, string> = {}
  for (const name of passedBack) {
    const value = headers[name]
    if (typeof value === 'string') fields[name] = value
  }
  return fields
}

/** The essence of a `Content-Type`. */
export function mediaType(headers: IncomingHttpHeaders): string {
  return (headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
}

/** The gate reads bytes as they are: what is packed cannot be judged. */
export function isPacked(headers: IncomingHttpHeaders): boolean {
  const coding = headers['content-encoding']?.trim().toLowerCase()
  return coding !== undefined && coding !== '' && coding !== 'identity'
}
