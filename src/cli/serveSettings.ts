/** Flags and the settings file of `tollgate serve` as one: who calls, TLS, what servers are shown. */
import { defaultCertificateMapping } from '../identity/certificate.ts'
import { defaultMapping } from '../identity/claims.ts'
import type { CredentialSettings } from '../identity/credentials.ts'
import { defaults, type IssuerSettings, keysUrl } from '../identity/issuers.ts'
import type { IdentitySettings } from '../identity/settings.ts'
import { algorithms } from '../identity/tokens.ts'
import { UsageError } from './exit.ts'
import type { ServeOptions, Target } from './serveOptions.ts'
import { type GateSettings, originOf, type TlsFiles } from './settingsFile.ts'

/** Throws a `UsageError` for flags that do not go together. What may stand once wins over the file. */
export function settingsOf(options: ServeOptions, file: GateSettings, targets: readonly Target[]): GateSettings {
  const tls = tlsOf(options) ?? file.tls
  const publicUrl = publicUrlOf(options) ?? file.publicUrl
  const identity = withCertificates(identityOf(options, file.identity), tls)
  if (identity !== undefined) refuseOneCaller(options)
  const credentials = [...file.credentials, ...credentialsOf(options)]
  refuseStrangers(credentials, targets)
  refuseOwnApprovers(identity, file.approverTokens)
  if (file.approverTokens && options.admin === undefined)
    throw new UsageError('`approver_tokens` says something of the admission server: open it with `--admin`')
  return {
    ...(file.approverTokens && { approverTokens: file.approverTokens }),
    credentials,
    ...(identity && { identity }),
    ...(tls && { tls }),
    ...(publicUrl && { publicUrl }),
  }
}

function identityOf(options: ServeOptions, file: IdentitySettings | undefined): IdentitySettings | undefined {
  const issuer = issuerOf(options)
  if (issuer && file?.issuers.some((one) => one.issuer === issuer.issuer))
    throw new UsageError(`the issuer \`${issuer.issuer}\` stands in the settings and in flags: say it once`)
  const { apiKeys = [] } = options
  if (!issuer && apiKeys.length === 0) return file
  const issuers = [...(file?.issuers ?? []), ...(issuer ? [issuer] : [])]
  return { ...file, issuers, apiKeys: [...(file?.apiKeys ?? []), ...apiKeys] }
}

function issuerOf({ jwtIssuer, jwtAudience = [], jwks }: ServeOptions): IssuerSettings | undefined {
  if (jwtIssuer === undefined && jwtAudience.length === 0 && jwks === undefined) return undefined
  if (jwtIssuer === undefined || jwtAudience.length === 0 || jwks === undefined)
    throw new UsageError('`--jwt-issuer`, `--jwt-audience` and `--jwks` go together: name all three')
  const isUrl = /^[a-z][a-z0-9+.-]+:\/\//i.test(jwks)
  const url = isUrl ? keysUrl(jwks) : undefined
  if (isUrl && url === undefined)
    throw new UsageError(
      `\`--jwks\` takes a file, or an \`https:\` URL (\`http:\` only of this machine), got \`${jwks}\``,
    )
  const { refreshMs, cooldownMs, clockSkewMs } = defaults
  return {
    kind: 'jwt',
    issuer: jwtIssuer,
    audience: jwtAudience,
    algorithms,
    clockSkewMs,
    scopes: [],
    keys: { ...(url ? { url } : { file: jwks }), refreshMs, cooldownMs },
    mapping: defaultMapping,
  }
}

/** Whoever names authorities for client certificates wants to know callers by them. */
function withCertificates(
  identity: IdentitySettings | undefined,
  tls: TlsFiles | undefined,
): IdentitySettings | undefined {
  if (tls?.clientCa === undefined || identity?.certificates) return identity
  return { issuers: [], apiKeys: [], ...identity, certificates: defaultCertificateMapping }
}

function tlsOf({ tlsCert, tlsKey, clientCa }: ServeOptions): TlsFiles | undefined {
  if (tlsCert === undefined && tlsKey === undefined && clientCa === undefined) return undefined
  if (tlsCert === undefined || tlsKey === undefined)
    throw new UsageError('`--tls-cert` and `--tls-key` go together, and `--client-ca` needs both')
  return { cert: tlsCert, key: tlsKey, clientCa }
}

function publicUrlOf({ publicUrl }: ServeOptions): string | undefined {
  const origin = publicUrl === undefined ? undefined : originOf(publicUrl)
  if (publicUrl !== undefined && origin === undefined)
    throw new UsageError(
      `\`--public-url\` takes a scheme and a name, as in \`https://gate.example.com\`, got \`${publicUrl}\``,
    )
  return origin
}

/** A gate that asks who calls takes nobody's word for all callers; a project may be that of all. */
function refuseOneCaller({ agent, user, group }: ServeOptions): void {
  const flag = agent ? 'agent' : user ? 'user' : group?.length ? 'group' : undefined
  if (flag !== undefined)
    throw new UsageError(
      `\`--${flag}\` (or its variable) says who all callers are, and this gate asks each of them: leave it out`,
    )
}

/** An agent has the token of the person for whom it calls: with that it would answer its own calls. */
function refuseOwnApprovers(identity: IdentitySettings | undefined, tokens: GateSettings['approverTokens'] = []): void {
  for (const { issuer, audience } of tokens.map((one) => one.issuer)) {
    const callers = identity?.issuers.filter((one) => one.issuer === issuer).flatMap((one) => one.audience) ?? []
    const shared = audience.find((one) => callers.includes(one))
    if (shared !== undefined)
      throw new UsageError(
        `\`approver_tokens\` takes tokens for \`${shared}\`, which callers have as well: an agent could answer its own calls. Let tokens of approvers be for another audience`,
      )
  }
}

export interface CredentialOptions {
  readonly upstreamBearerFile?: readonly string[]
  readonly upstreamHeaderFile?: readonly string[]
}

export function credentialsOf({
  upstreamBearerFile = [],
  upstreamHeaderFile = [],
}: CredentialOptions): CredentialSettings[] {
  return [
    ...upstreamBearerFile.map((text) => ({ from: 'bearer_file', ...namedFile(text) }) as const),
    ...upstreamHeaderFile.map((text) => ({ from: 'headers_file', ...namedFile(text) }) as const),
  ]
}

/** `NAME=FILE`, or `FILE` for the one server. */
function namedFile(text: string): { readonly server: string; readonly place: string } {
  const [, server = '', place = text] = /^([A-Za-z0-9][A-Za-z0-9._-]*)=(.*)$/s.exec(text) ?? []
  return { server, place }
}

/** What was meant for one server must not go to another, nor to none. */
export function refuseStrangers(credentials: readonly CredentialSettings[], targets: readonly Target[]): void {
  for (const [index, { server }] of credentials.entries()) {
    const target = targets.find((one) => isFor(server, one, targets))
    const known = target !== undefined
    if (known && !(target.upstream instanceof URL))
      throw new UsageError(
        'a server that is a command is shown no credential: give it what it needs in its environment',
      )
    if (!known && server === '')
      throw new UsageError('several servers are behind the gate: say whose credential it is, as in `NAME=FILE`')
    if (!known) throw new UsageError(`no server behind the gate is called \`${server}\`, and it has a credential`)
    if (credentials.findIndex((one) => one.server === server) !== index)
      throw new UsageError(`${server === '' ? 'the server' : `\`${server}\``} has two credentials: name one`)
  }
}

/** The one server needs no name. */
export function isFor(server: string, target: Target, targets: readonly Target[]): boolean {
  return server === (target.server ?? '') || (server === '' && targets.length === 1)
}
