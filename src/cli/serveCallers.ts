/** Who calls `tollgate serve`: what a request shows, handed on, and the answer in the words of HTTP. */
import type { TLSSocket } from 'node:tls'
import type { Caller, FrontOptions } from '../http/front.ts'
import { retryAfterSeconds } from '../http/limits.ts'
import type { Certificate, Presented, Refused } from '../identity/caller.ts'
import type { FollowedFiles } from '../identity/followed.ts'
import { openIdentity } from '../identity/open.ts'
import { challenge, metadataAt, type ResourceOptions } from '../identity/resource.ts'
import type { IdentitySettings } from '../identity/settings.ts'

type Request = Parameters<FrontOptions['identify']>[0]

export interface Callers {
  readonly identify: (request: Request) => Promise<Caller>
  readonly document: (request: Request, path: string) => string | undefined
}

export interface CallersOptions {
  readonly settings: IdentitySettings
  readonly project?: string | undefined
  /** Scheme and authority by which clients know the gate; what the request says if not given. */
  readonly publicUrl?: string | undefined
  readonly isServed: (path: string) => boolean
  readonly say: (sentence: string) => void
  readonly files?: FollowedFiles
  /** False while it is not known whose certificates count. */
  readonly trustsClients: () => boolean
}

/** Throws when a file that the settings name cannot be read. */
export function callersOf(options: CallersOptions): Callers {
  const { settings, project, publicUrl, isServed, say, files, trustsClients } = options
  const identity = openIdentity(settings, { project, say, files })
  const issuers = settings.issuers.filter(({ kind }) => kind === 'jwt')
  const about = (request: Request): ResourceOptions => ({
    origin: publicUrl ?? originOf(request),
    issuers: issuers.map(({ issuer }) => issuer),
    scopes: [...new Set(issuers.flatMap(({ scopes }) => scopes))],
  })
  return {
    async identify(request) {
      const identified = await identity.identify(presentedBy(request, trustsClients))
      if ('principal' in identified) return identified
      const path = (request.url ?? '').split('?', 1)[0] ?? ''
      const asked = identity.takesTokens ? challenge(identified.refused, path, about(request)) : undefined
      return answerOf(identified.refused, asked)
    },
    document: (request, path) => metadataAt(path, isServed, about(request)),
  }
}

function answerOf({ status, message }: Refused, asked: string | undefined): Caller {
  const fields = {
    ...(asked !== undefined && { 'www-authenticate': asked }),
    ...(status === 503 && { 'retry-after': String(retryAfterSeconds) }),
  }
  return { status, message, fields }
}

/** The host is one of the gate's names: it was checked before. */
function originOf({ socket, headers }: Request): string {
  return `${isEncrypted(socket) ? 'https' : 'http'}://${headers.host ?? ''}`
}

function isEncrypted(socket: Request['socket']): socket is TLSSocket {
  return (socket as Partial<TLSSocket>).encrypted === true
}

function presentedBy({ headersDistinct, socket }: Request, trustsClients: () => boolean): Presented {
  const certificate = certificateOf(socket)
  const isTrusted = certificate?.isTrusted === true && trustsClients()
  const counted = certificate && { ...certificate, isTrusted }
  return { headers: headersDistinct, address: socket.remoteAddress, certificate: counted }
}

/** Read once for each connection. */
const certificates = new WeakMap<Request['socket'], Certificate | 'none'>()

function certificateOf(socket: Request['socket']): Certificate | undefined {
  if (!isEncrypted(socket)) return undefined
  const known = certificates.get(socket) ?? readCertificate(socket) ?? 'none'
  certificates.set(socket, known)
  return known === 'none' ? undefined : known
}

function readCertificate(socket: TLSSocket): Certificate | undefined {
  const certificate = socket.getPeerCertificate()
  if (certificate === null || Object.keys(certificate).length === 0) return undefined
  const { subject, subjectaltname, valid_to } = certificate
  const endsAt = Date.parse(valid_to)
  return { isTrusted: socket.authorized, subject: { ...subject }, alternativeNames: subjectaltname, endsAt }
}
