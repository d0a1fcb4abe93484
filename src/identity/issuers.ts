/** The settings of an issuer of tokens. */
import { quote, type Report, type Spot } from '../policy/diagnostics.ts'
import { duration } from '../policy/durations.ts'
import {
  choice,
  type Field,
  type FieldsOf,
  type Filled,
  type Form,
  type Located,
  mistake,
  oneOrMore,
  record,
} from '../policy/forms.ts'
import { path } from '../policy/paths.ts'
import { label } from '../policy/scalars.ts'
import { type ClaimMapping, defaultMapping } from './claims.ts'
import { clockSkewMsMax } from './limits.ts'
import { type Algorithm, algorithms } from './tokens.ts'

/** Where an issuer's keys are: `url`, or `file`. */
export interface KeysAt {
  readonly url?: URL
  readonly file?: string
  readonly refreshMs: number
  readonly cooldownMs: number
  readonly ca?: string
  readonly tokenFile?: string
}

export interface IssuerSettings {
  readonly kind: 'jwt' | 'kubernetes'
  readonly issuer: string
  readonly audience: readonly string[]
  readonly algorithms: readonly Algorithm[]
  readonly clockSkewMs: number
  readonly scopes: readonly string[]
  readonly keys: KeysAt
  readonly mapping: ClaimMapping
}

export const defaults = { clockSkewMs: 30_000, refreshMs: 10 * 60_000, cooldownMs: 30_000 } as const

/** A file beside the settings, or a URL with which nobody on the way can meddle. */
export const keysPlace: Form<URL | string> = {
  says: 'a file, or an `https:` URL (`http:` only of this machine)',
  schema: { type: 'string', minLength: 1 },
  read(node, name, report) {
    const text = label.read(node, name, report)
    if (text === undefined || !/^[a-z][a-z0-9+.-]+:\/\//i.test(text)) return text
    const url = keysUrl(text)
    return url ?? mistake(node, name, keysPlace.says, report)
  },
}

/** Undefined for a URL whose keys could be another one's. */
export function keysUrl(text: string): URL | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || url.username !== '' || url.password !== '') return undefined
  const isLocal = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLocal) ? url : undefined
}

const paths = oneOrMore(path)
const names = oneOrMore(label)

const issuerKeys = {
  issuer: { form: label, about: 'The `iss` of its tokens, letter for letter.', required: 'name the issuer' },
  audience: {
    form: names,
    about: 'Tokens must be for this, or for one of these.',
    required: 'say for whom tokens must be: those for others would be taken as well',
  },
  jwks: { form: keysPlace, about: 'Its public keys: a URL, or a file.', required: 'say where its keys are' },
  clock_skew: {
    form: duration(0, clockSkewMsMax),
    about: 'How far the clocks may be apart; `30s` if not given.',
  },
  refresh: {
    form: duration(1_000, 86_400_000),
    about: 'How old keys from a URL become before they are asked for again; `10m` if not given.',
  },
  cooldown: {
    form: duration(1_000, 3_600_000),
    about: 'How often at most keys are asked for because a token names one that is unknown; `30s` if not given.',
  },
  ca: { form: label, about: 'A file with the authority of the server that has the keys.' },
  keep: { form: names, about: 'Claims that are kept for policy packs and for the record, by their names.' },
} as const

export const jwtKeys = {
  ...issuerKeys,
  algorithms: {
    form: oneOrMore(choice(...algorithms)),
    about: 'How tokens may be signed; all of these if not given.',
  },
  scopes: { form: names, about: 'What must be in `scope` of a token.' },
  agent: { form: paths, about: 'The claim that names the agent; `azp`, else `client_id`, if not given.' },
  user: { form: paths, about: 'The claim that names the person; `sub` if not given.' },
  project: { form: paths, about: 'The claim that names the project.' },
  groups: { form: paths, about: 'The claim with the groups; `groups` if not given.' },
} as const

const kubernetesKeys = {
  ...issuerKeys,
  token: { form: label, about: 'A file with the token that the server of the keys asks for.' },
} as const

export const jwtForm = record('an issuer of tokens: a map', jwtKeys, { owner: 'an issuer' })
export const kubernetesForm = record('a cluster: a map', kubernetesKeys, { owner: 'a cluster' })

type WrittenIssuer = Filled<FieldsOf<typeof jwtKeys & typeof kubernetesKeys>>

export function issuerOf(
  kind: IssuerSettings['kind'],
  { fields }: Filled<unknown> & { fields: object },
): IssuerSettings | undefined {
  const { issuer, audience, jwks, clock_skew, refresh, cooldown, ca, token, ...more } =
    fields as WrittenIssuer['fields']
  if (issuer?.value === undefined || !audience?.value || jwks?.value === undefined) return undefined
  return {
    kind,
    issuer: issuer.value,
    audience: valuesOf(audience) ?? [],
    algorithms: valuesOf(more.algorithms) ?? algorithms,
    clockSkewMs: clock_skew?.value ?? defaults.clockSkewMs,
    scopes: valuesOf(more.scopes) ?? [],
    keys: {
      ...(typeof jwks.value === 'string' ? { file: jwks.value } : { url: jwks.value }),
      refreshMs: refresh?.value ?? defaults.refreshMs,
      cooldownMs: cooldown?.value ?? defaults.cooldownMs,
      ...(ca?.value !== undefined && { ca: ca.value }),
      ...(token?.value !== undefined && { tokenFile: token.value }),
    },
    mapping: {
      agent: valuesOf(more.agent) ?? defaultMapping.agent,
      user: valuesOf(more.user) ?? defaultMapping.user,
      project: valuesOf(more.project) ?? defaultMapping.project,
      groups: valuesOf(more.groups) ?? defaultMapping.groups,
      keep: valuesOf(more.keep) ?? [],
    },
  }
}

export function valuesOf<T>(field: Field<readonly Located<T>[]> | undefined): readonly T[] | undefined {
  return field?.value?.map(({ value }) => value)
}

/** Of two with one name only one would ever be asked. */
export function reportIssuersTwice(
  written: readonly Located<{ readonly fields: { readonly issuer?: Field<string> } }>[],
  report: Report,
): void {
  const seen = new Map<string, Spot>()
  for (const { value } of written) {
    const { issuer } = value.fields
    if (issuer?.value === undefined) continue
    const first = seen.get(issuer.value)
    if (first)
      report.error(
        issuer.at,
        'duplicate_key',
        `the issuer ${quote(issuer.value)} stands here twice, first on line ${first.line}`,
      )
    else seen.set(issuer.value, issuer.at)
  }
}
