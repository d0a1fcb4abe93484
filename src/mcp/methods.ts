/** The methods of MCP, both eras: what acts is judged (`model/message/acts.ts`), what is listed here passes. */

/** Requests that pass unjudged; what they answer may be filtered. Anything else that does not act is refused. */
const passedMethods: ReadonlySet<string> = new Set([
  'initialize',
  'ping',
  'server/discover',
  'tools/list',
  'prompts/list',
  'resources/list',
  'resources/templates/list',
  'resources/unsubscribe',
  'logging/setLevel',
  'subscriptions/listen',
  'tasks/get',
  'tasks/list',
  'tasks/cancel',
  'tasks/result',
  'tasks/update',
])

const listMethods: ReadonlySet<string> = new Set([
  'tools/list',
  'prompts/list',
  'resources/list',
  'resources/templates/list',
])

export function isPassed(method: string): boolean {
  return passedMethods.has(method)
}

export function isList(method: string): boolean {
  return listMethods.has(method)
}

export function isNotification(method: string): boolean {
  return method.startsWith('notifications/')
}

/** Keys in `_meta` that the protocol reserves for itself. */
export const protocolVersionKey = 'io.modelcontextprotocol/protocolVersion'
export const clientCapabilitiesKey = 'io.modelcontextprotocol/clientCapabilities'
export const subscriptionIdKey = 'io.modelcontextprotocol/subscriptionId'
