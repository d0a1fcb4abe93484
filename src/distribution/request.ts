/** One request to a server of bundles, and its whole answer: in time, in bounds, and from the host that was named. */
import type { IncomingHttpHeaders } from 'node:http'
import { Agent, request } from 'undici'
import { messageOf } from '../model/errors.ts'
import { SourceError } from './errors.ts'
import { answerMsMax, connectMsMax, headersMsMax, redirectsMax, statusMsMax } from './limits.ts'
import { urlText } from './places.ts'
import { type Secrets, withoutCredentials } from './secrets.ts'

/** How long a server has for each part of its answer. */
export interface Patience {
  readonly connectMs: number
  readonly headersMs: number
  readonly answerMs: number
}

const usual: Patience = { connectMs: connectMsMax, headersMs: headersMsMax, answerMs: answerMsMax }

export interface Asked {
  readonly headers?: Readonly<Record<string, string>>
  readonly secrets: Secrets
  readonly bytesMax: number
  /** How long the server was asked to hold its answer. */
  readonly waitMs?: number
  readonly signal: AbortSignal
  readonly patience?: Patience | undefined
  /** What is bound by its digest may come from another host, which is shown no credential; nothing else may. */
  readonly elsewhere?: boolean
}

export interface Answered {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** Empty unless the status is 200. */
  readonly bytes: Uint8Array
}

/** Rejects with a `SourceError`, or with the reason of `signal`. */
export async function get(url: URL, asked: Asked): Promise<Answered> {
  const { secrets, waitMs = 0, signal, patience = usual } = asked
  // A connection of its own: certificates may have been renewed, and the next question comes a minute later.
  const shownBy = (shown: Secrets): Showing => ({
    authorization: shown.authorization,
    dispatcher: new Agent({
      connect: { timeout: patience.connectMs, ...shown.tls },
      headersTimeout: waitMs + patience.headersMs,
      bodyTimeout: patience.headersMs,
    }),
  })
  const [named, others] = [shownBy(secrets), shownBy(withoutCredentials(secrets))]
  const late = AbortSignal.timeout(waitMs + patience.answerMs)
  try {
    return await following(url, { ...asked, signal: AbortSignal.any([signal, late]) }, named, others)
  } catch (error) {
    if (signal.aborted) throw signal.reason
    throw faultOf(error, url)
  } finally {
    await Promise.all([named.dispatcher.destroy(), others.dispatcher.destroy()])
  }
}

/** How a server is asked: its connections show the certificate that they were made with. */
interface Showing {
  readonly authorization: string | undefined
  readonly dispatcher: Agent
}

/** Tells a server something. Nothing is told to where it redirects. */
export async function post(
  url: URL,
  body: string,
  { secrets, signal }: Pick<Asked, 'secrets' | 'signal'>,
): Promise<Answered> {
  const dispatcher = new Agent({ connect: { timeout: connectMsMax, ...secrets.tls } })
  const late = AbortSignal.timeout(statusMsMax)
  const { authorization } = secrets
  try {
    const answer = await request(url, {
      method: 'POST',
      dispatcher,
      signal: AbortSignal.any([signal, late]),
      headers: {
        'content-type': 'application/json',
        'user-agent': 'tollgate',
        ...(authorization !== undefined && { authorization }),
      },
      body,
    })
    answer.body.on('error', () => undefined).destroy()
    return { status: answer.statusCode, headers: answer.headers, bytes: new Uint8Array() }
  } catch (error) {
    if (signal.aborted) throw signal.reason
    throw faultOf(error, url)
  } finally {
    await dispatcher.destroy()
  }
}

async function following(from: URL, asked: Asked, named: Showing, others: Showing): Promise<Answered> {
  let url = from
  for (let redirects = 0; ; redirects++) {
    const answer = await once(url, asked, url.origin === from.origin ? named : others)
    const { location } = answer.headers
    if (![301, 302, 303, 307, 308].includes(answer.status) || location === undefined) return answer
    if (redirects === redirectsMax)
      throw new SourceError('bundle_redirected', `\`${urlText(from)}\` redirects more than ${redirectsMax} times`)
    url = redirected(from, url, location, asked)
  }
}

/** Throws where the way leads to another host, which nobody named. */
function redirected(from: URL, url: URL, location: string, { elsewhere = false }: Asked): URL {
  const next = URL.canParse(location, url.href) ? new URL(location, url) : undefined
  const isSame = next?.origin === from.origin
  if (next && (isSame || (elsewhere && (next.protocol === 'https:' || from.protocol === 'http:')))) return next
  const where = next ? `to \`${next.origin}\`` : 'to what is no address'
  throw new SourceError('bundle_redirected', `\`${urlText(from)}\` redirects ${where}, and only its own host is asked`)
}

async function once(url: URL, asked: Asked, { authorization, dispatcher }: Showing): Promise<Answered> {
  const { headers = {}, bytesMax, signal } = asked
  const shown = authorization === undefined ? {} : { authorization }
  const answer = await request(url, {
    dispatcher,
    signal,
    headers: { 'accept-encoding': 'identity', 'user-agent': 'tollgate', ...headers, ...shown },
  })
  const { statusCode: status } = answer
  if (status === 200) return { status, headers: answer.headers, bytes: await bounded(answer, url, bytesMax) }
  // What else the server has to say is not read: the connection ends with the question.
  answer.body.on('error', () => undefined).destroy()
  return { status, headers: answer.headers, bytes: new Uint8Array() }
}

async function bounded(
  { headers, body }: { readonly headers: IncomingHttpHeaders; readonly body: AsyncIterable<Buffer> },
  url: URL,
  bytesMax: number,
): Promise<Uint8Array> {
  const tooLarge = () =>
    new SourceError('bundle_too_large', `\`${urlText(url)}\` answered with more than ${bytesMax} bytes`)
  if (Number(headers['content-length'] ?? 0) > bytesMax) throw tooLarge()
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of body) {
    length += chunk.length
    if (length > bytesMax) throw tooLarge()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

const lateCodes: ReadonlySet<unknown> = new Set([
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
])

function faultOf(error: unknown, url: URL): SourceError {
  if (error instanceof SourceError) return error
  const { code, name } = error as NodeJS.ErrnoException
  if (name === 'TimeoutError' || lateCodes.has(code))
    return new SourceError('bundle_timeout', `\`${urlText(url)}\` did not answer in time`, { cause: error })
  const why = messageOf(error) || String(code)
  return new SourceError('bundle_unreachable', `\`${urlText(url)}\` cannot be reached: ${why}`, { cause: error })
}

/** What a server says with a status that brings nothing; `option` names the file of what it is shown. */
export function statusFault(
  { status, headers }: Answered,
  url: URL,
  option: '--bundle-token-file' | '--status-token-file' = '--bundle-token-file',
): SourceError {
  const more = hints[status]?.(option) ?? ''
  const retryAfterMs = secondsIn(headers['retry-after'])
  const circumstances = { httpCode: status, ...(retryAfterMs !== undefined && { retryAfterMs }) }
  return new SourceError(
    'bundle_status_wrong',
    `\`${urlText(url)}\` answered with status ${status}${more}`,
    circumstances,
  )
}

const hints: Readonly<Record<number, (option: string) => string>> = {
  401: (option) => `: it wants a credential (\`${option}\`), or another one`,
  403: () => ': the credential may not read it',
  404: () => ': there is no such bundle',
}

function secondsIn(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,6}$/.test(text) ? Number(text) * 1_000 : undefined
}
