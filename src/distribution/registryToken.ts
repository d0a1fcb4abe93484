/** Who gives a token for a registry, and for what: the `Bearer` challenge of the distribution specification. */
import { SourceError } from './errors.ts'
import { type ImagePlace, isThisMachine } from './places.ts'

export interface Challenge {
  readonly realm: string
  readonly service: string | undefined
}

/** Undefined for a challenge of another kind: then the credential was wrong, or none was shown. */
export function challengeIn(header: string | readonly string[] | undefined): Challenge | undefined {
  const text = [header].flat().find((one) => /^bearer\s/i.test(one ?? ''))
  if (text === undefined) return undefined
  const parameters = new Map(
    [...text.matchAll(/([a-z_]+)="([^"]*)"/gi)].map(([, name = '', value = '']) => [name.toLowerCase(), value]),
  )
  const realm = parameters.get('realm')
  return realm === undefined ? undefined : { realm, service: parameters.get('service') }
}

/** Asks for what is needed and no more, whatever the challenge says. Throws where the credential would go in the open, or a registry elsewhere sends it to what runs on this machine. */
export function tokenUrl({ realm, service }: Challenge, { repository }: ImagePlace, from: URL): URL {
  const url = URL.canParse(realm) ? new URL(realm) : undefined
  const isSafe =
    url?.protocol === 'https:' ||
    (url?.protocol === 'http:' && isThisMachine(url.hostname) && isThisMachine(from.hostname))
  if (!url || !isSafe)
    throw new SourceError(
      'bundle_redirected',
      `\`${from.origin}\` sends for a token to \`${realm}\`, which is no \`https:\``,
    )
  if (service !== undefined) url.searchParams.set('service', service)
  url.searchParams.set('scope', `repository:${repository}:pull`)
  return url
}

/** Throws `bundle_content_wrong`; nothing of the answer is said. */
export function tokenIn(bytes: Uint8Array, url: URL): string {
  try {
    const { token, access_token } = JSON.parse(Buffer.from(bytes).toString('utf8')) as Readonly<Record<string, unknown>>
    const found = token ?? access_token
    if (typeof found === 'string' && /^[\x21-\x7e]+$/.test(found)) return found
  } catch {
    // as one without a token
  }
  throw new SourceError('bundle_content_wrong', `\`${url.origin}\` was asked for a token and gave none`)
}
