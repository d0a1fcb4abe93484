/** From the certificate of a client that an authority of the operator signed to a principal. */
import type { Principal } from '../model/call.ts'
import { nameCharsMax } from '../model/limits.ts'
import { nameTrouble } from '../model/message/acts.ts'
import { type Certificate, Refused } from './caller.ts'
import { known } from './claims.ts'

/** Parts of a certificate that can name somebody. */
export const certificateFields = [
  'subject.CN',
  'subject.O',
  'subject.OU',
  'subject.UID',
  'san.uri',
  'san.dns',
  'san.email',
] as const

export type CertificateField = (typeof certificateFields)[number]

/** The first field that the certificate has; all values of it for `groups`. */
export interface CertificateMapping {
  readonly agent: readonly CertificateField[]
  readonly user: readonly CertificateField[]
  readonly project: readonly CertificateField[]
  readonly groups: readonly CertificateField[]
}

/** SPIFFE writes who a workload is as a URI; others write a common name. */
export const defaultCertificateMapping: CertificateMapping = {
  agent: ['san.uri', 'subject.CN'],
  user: ['san.email'],
  project: [],
  groups: [],
}

/** Throws a `Refused`. */
export function principalOfCertificate(certificate: Certificate, mapping: CertificateMapping): Principal {
  if (!certificate.isTrusted || !(Date.now() < certificate.endsAt))
    throw new Refused(403, 'the client certificate is not signed by an authority of this gate, or it is over')
  const one = (fields: readonly CertificateField[]) => {
    const [value, second] = firstOf(certificate, fields)
    if (second !== undefined)
      throw new Refused(403, 'the client certificate has several names where the gate takes one')
    return value
  }
  const [agent, user, project] = [one(mapping.agent), one(mapping.user), one(mapping.project)]
  return known({
    ...(agent !== undefined && { agent }),
    ...(user !== undefined && { user }),
    ...(project !== undefined && { project }),
    ...(mapping.groups.length > 0 && { groups: firstOf(certificate, mapping.groups) }),
  })
}

function firstOf(certificate: Certificate, fields: readonly CertificateField[]): readonly string[] {
  for (const field of fields) {
    const values = valuesOf(certificate, field)
    for (const value of values) {
      const trouble = nameTrouble(field, value, nameCharsMax)
      if (trouble !== undefined) throw new Refused(403, `the client certificate is refused: ${trouble}`)
    }
    if (values.length > 0) return values
  }
  return []
}

const prefixes: Readonly<Record<string, string>> = { 'san.uri': 'URI', 'san.dns': 'DNS', 'san.email': 'email' }

function valuesOf({ subject, alternativeNames = '' }: Certificate, field: CertificateField): readonly string[] {
  const wanted = prefixes[field]
  if (wanted !== undefined)
    return alternativesIn(alternativeNames).flatMap(([kind, value]) => (kind === wanted ? [value] : []))
  const value = subject[field.slice('subject.'.length)]
  return value === undefined ? [] : typeof value === 'string' ? [value] : value
}

/**
 * `URI:spiffe://a/b, DNS:"with, a comma"`: Node quotes as JSON what could be read as another name. A text that cannot be
 * read whole is refused.
 */
export function alternativesIn(text: string): readonly (readonly [string, string])[] {
  const names: [string, string][] = []
  const pattern = /([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^",]*)(?:, |$)/gy
  while (pattern.lastIndex < text.length) {
    const [, kind, value] = pattern.exec(text) ?? []
    if (kind === undefined || value === undefined)
      throw new Refused(403, 'the alternative names of the client certificate cannot be read')
    names.push([kind, value.startsWith('"') ? (JSON.parse(value) as string) : value])
  }
  return names
}
