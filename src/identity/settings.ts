/** The settings of a gate that say who calls: the files behind them are read elsewhere. */
import type { Report } from '../policy/diagnostics.ts'
import { type FieldsOf, type Filled, oneOrMore, record } from '../policy/forms.ts'
import { label } from '../policy/scalars.ts'
import type { CertificateMapping } from './certificate.ts'
import { type IssuerSettings, issuerOf, jwtForm, kubernetesForm, reportIssuersTwice } from './issuers.ts'
import { certificateForm, certificatesOf, headerForm, headersOf } from './others.ts'
import type { TrustedHeaders } from './trustedHeader.ts'

export interface IdentitySettings {
  readonly issuers: readonly IssuerSettings[]
  readonly apiKeys: readonly string[]
  readonly headers?: TrustedHeaders
  readonly certificates?: CertificateMapping
}

export const identityKeys = {
  jwt: { form: oneOrMore(jwtForm), about: 'Who issues tokens.' },
  kubernetes: { form: oneOrMore(kubernetesForm), about: 'Clusters whose service accounts call.' },
  api_keys: { form: oneOrMore(label), about: 'Files with the digests of API keys.' },
  certificate: { form: certificateForm, about: 'Who calls with a client certificate.' },
  trusted_header: { form: headerForm, about: 'Headers in which a proxy says who calls.' },
} as const

export const identityForm = record('a map of ways to know who calls', identityKeys, { owner: '`identity`' })

export type WrittenIdentity = Filled<FieldsOf<typeof identityKeys>>

export function identityOf({ fields, at }: WrittenIdentity, report: Report): IdentitySettings {
  const written = [
    ...(fields.jwt?.value ?? []).map((one) => issuerOf('jwt', one.value)),
    ...(fields.kubernetes?.value ?? []).map((one) => issuerOf('kubernetes', one.value)),
  ]
  if (Object.keys(fields).length === 0) report.error(at, 'says_nothing', '`identity` names no way to know who calls')
  reportIssuersTwice([...(fields.jwt?.value ?? []), ...(fields.kubernetes?.value ?? [])], report)
  const headers = headersOf(fields.trusted_header, report)
  return {
    issuers: written.filter((one) => one !== undefined),
    apiKeys: (fields.api_keys?.value ?? []).map(({ value }) => value),
    ...(headers && { headers }),
    ...(fields.certificate?.value && { certificates: certificatesOf(fields.certificate.value.fields) }),
  }
}

/** The same with the files that it names found by `beside`. */
export function located(settings: IdentitySettings, beside: (name: string) => string): IdentitySettings {
  const issuers = settings.issuers.map((issuer) => locatedIssuer(issuer, beside))
  return { ...settings, issuers, apiKeys: settings.apiKeys.map(beside) }
}

export function locatedIssuer(issuer: IssuerSettings, beside: (name: string) => string): IssuerSettings {
  const { file, ca, tokenFile, ...keys } = issuer.keys
  const found = {
    ...keys,
    ...(file !== undefined && { file: beside(file) }),
    ...(ca !== undefined && { ca: beside(ca) }),
    ...(tokenFile !== undefined && { tokenFile: beside(tokenFile) }),
  }
  return { ...issuer, keys: found }
}
