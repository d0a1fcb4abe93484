/** Puts together who is asked who calls: the files and the keys behind the settings. */
import { apiKeysOf } from './apiKeys.ts'
import type { TokenSource } from './caller.ts'
import { principalOfClaims } from './claims.ts'
import type { Following } from './followed.ts'
import { type Identified, Identity } from './identity.ts'
import type { IssuerSettings, KeysAt } from './issuers.ts'
import { remoteKeys } from './jwks.ts'
import { KeySet, type Keys, keysOfFile } from './keySet.ts'
import { principalOfServiceAccount } from './kubernetes.ts'
import type { IdentitySettings } from './settings.ts'
import { Tokens, tooLong } from './tokens.ts'

export interface Opening extends Following {
  readonly project?: string | undefined
}

/** Throws when a file cannot be read. Issuers are asked for their keys at once, and nobody waits for that but their tokens. */
export function openIdentity(settings: IdentitySettings, { project, ...following }: Opening): Identity {
  const issuers = settings.issuers.map((issuer) => tokensOf(issuer, following))
  const apiKeys = settings.apiKeys.map((file) => apiKeysOf(file, following))
  const tokens: readonly TokenSource[] = [...apiKeys, ...issuers.map((one) => one.tokens)]
  for (const { keys } of issuers) void keys.load()
  const { headers, certificates } = settings
  return new Identity({ tokens, headers, certificates, project, log: following.say })
}

/** Tokens alone, for those who are shown one by itself. */
export interface OpenTokens {
  takes(token: string): boolean
  /** Never rejects. `address` is for the log. */
  identify(token: string, address: string): Promise<Identified>
}

/** As `openIdentity`. */
export function openTokens(settings: readonly IssuerSettings[], following: Following): OpenTokens {
  const issuers = settings.map((issuer) => tokensOf(issuer, following))
  for (const { keys } of issuers) void keys.load()
  const tokens = issuers.map((one) => one.tokens)
  const identity = new Identity({ tokens, log: following.say })
  return {
    takes: (token) => !tooLong(token) && tokens.some((one) => one.takes(token)),
    identify: (token, address) => identity.identify({ headers: { authorization: [`Bearer ${token}`] }, address }),
  }
}

function tokensOf(settings: IssuerSettings, following: Following): { readonly tokens: Tokens; readonly keys: Keys } {
  const { kind, mapping, ...rest } = settings
  const keys = keysOf(settings.keys, following)
  const tokens = new Tokens({
    ...rest,
    keys,
    principalOf: (claims) =>
      kind === 'kubernetes' ? principalOfServiceAccount(claims, mapping.keep) : principalOfClaims(claims, mapping),
  })
  return { tokens, keys }
}

function keysOf({ url, file, refreshMs, cooldownMs, ca, tokenFile }: KeysAt, following: Following): Keys {
  if (url === undefined) return keysOfFile(file ?? '', following)
  return new KeySet({ load: remoteKeys({ url, caFile: ca, tokenFile }), refreshMs, cooldownMs, say: following.say })
}
