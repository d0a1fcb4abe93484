/** Persons and programs at the admission server by tokens of an issuer, instead of keys in a file. */
import type { KeyHolder, Scope } from '../admission/scopes.ts'
import { personScopes, scopes } from '../admission/scopes.ts'
import type { Following } from '../identity/followed.ts'
import { type IssuerSettings, issuerOf, jwtKeys, reportIssuersTwice, valuesOf } from '../identity/issuers.ts'
import { isApproverName } from '../model/approval.ts'
import type { Report } from '../policy/diagnostics.ts'
import { choice, type FieldsOf, type Filled, type Located, oneOrMore, record } from '../policy/forms.ts'
import { label } from '../policy/scalars.ts'

export interface ApproverTokens {
  readonly issuer: IssuerSettings
  /** Who is in none of these is nobody there; without any, whoever has a token is somebody. */
  readonly members: readonly string[]
  readonly may: readonly Scope[]
}

const { issuer, audience, jwks, algorithms, clock_skew, refresh, cooldown, ca, user, groups } = jwtKeys
const approverKeys = {
  ...{ issuer, audience, jwks, algorithms, clock_skew, refresh, cooldown, ca, user, groups, scopes: jwtKeys.scopes },
  members: { form: oneOrMore(label), about: 'Groups of which who answers is in one; all may, if not given.' },
  may: { form: oneOrMore(choice(...scopes)), about: 'What they may do; `read` and `approve` if not given.' },
} as const

const approverForm = record('an issuer of tokens: a map', approverKeys, { owner: 'an issuer of tokens of approvers' })

export const approverTokensForm = oneOrMore(approverForm)

type Written = Located<Filled<FieldsOf<typeof approverKeys>>>

export function approverTokensOf(written: readonly Written[], report: Report): readonly ApproverTokens[] {
  reportIssuersTwice(written, report)
  return written.flatMap(({ value }) => {
    const one = issuerOf('jwt', value)
    if (one === undefined) return []
    const mapping = { ...one.mapping, agent: [], project: [], keep: [] }
    const { members, may } = value.fields
    const said = { members: valuesOf(members) ?? [], may: valuesOf(may) ?? personScopes }
    return [{ issuer: { ...one, mapping }, ...said }]
  })
}

/** Throws when a file cannot be read. What is wrong with a token that is refused, the log says. */
export async function openApproverTokens(
  settings: readonly ApproverTokens[],
  following: Following,
): Promise<(token: string) => Promise<KeyHolder | undefined>> {
  const { openTokens } = await import('../identity/open.ts')
  const opened = settings.map((one) => ({ ...one, tokens: openTokens([one.issuer], following) }))
  return async (token) => {
    const one = opened.find(({ tokens }) => tokens.takes(token))
    const found = await one?.tokens.identify(token, 'the admission API')
    if (one === undefined || found === undefined || !('principal' in found)) return undefined
    const { user: name, groups: memberships = [] } = found.principal
    const isMember = one.members.length === 0 || one.members.some((group) => memberships.includes(group))
    if (name === undefined || !isMember || !isApproverName(name)) return undefined
    return { holder: { name, known_by: 'token' }, scopes: one.may }
  }
}
