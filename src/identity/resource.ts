/**
 * The gate as an OAuth protected resource: where clients find who gives tokens for it (RFC 9728), and how a refusal says
 * so (RFC 6750).
 */
import type { Refused } from './caller.ts'

const wellKnown = '/.well-known/oauth-protected-resource'

export interface ResourceOptions {
  /** Scheme and authority by which clients know the gate. */
  readonly origin: string
  readonly issuers: readonly string[]
  readonly scopes: readonly string[]
}

/** The document at a path, for a path that is one of the gate's; undefined for all others. */
export function metadataAt(
  path: string,
  isServed: (path: string) => boolean,
  options: ResourceOptions,
): string | undefined {
  if (options.issuers.length === 0) return undefined
  if (path !== wellKnown && !path.startsWith(`${wellKnown}/`)) return undefined
  const of = path.slice(wellKnown.length)
  if (of !== '' && !isServed(of)) return undefined
  return JSON.stringify({
    resource: `${options.origin}${of}`,
    authorization_servers: options.issuers,
    bearer_methods_supported: ['header'],
    ...(options.scopes.length > 0 && { scopes_supported: options.scopes }),
    resource_name: 'Tollgate',
  })
}

/** The value of `WWW-Authenticate`; undefined for what no token would help. */
export function challenge(refused: Refused, path: string, options: ResourceOptions): string | undefined {
  const { status, code, scope, message } = refused
  if (status !== 401 && code === undefined) return undefined
  const parts = [
    ...(options.issuers.length > 0 ? [['resource_metadata', `${options.origin}${wellKnown}${path}`]] : []),
    ...(code === undefined ? [] : [['error', code]]),
    ...(code === undefined ? [] : [['error_description', message]]),
    ...(scope === undefined ? scopeOf(options.scopes) : [['scope', scope]]),
  ] as const
  return `Bearer ${parts.length === 0 ? 'realm="tollgate"' : parts.map(([name = '', text = '']) => `${name}="${quotable(text)}"`).join(', ')}`
}

function scopeOf(scopes: readonly string[]): readonly (readonly string[])[] {
  return scopes.length === 0 ? [] : [['scope', scopes.join(' ')]]
}

/** RFC 6750 allows neither quotes nor backslashes, nor anything beyond ASCII. */
function quotable(text: string): string {
  return text.replace(/[^\x20-\x7e]|["\\]/g, "'")
}
