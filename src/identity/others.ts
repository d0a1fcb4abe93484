/** The settings of headers that a proxy sets, and of client certificates. */
import type { Report } from '../policy/diagnostics.ts'
import {
  choice,
  type Field,
  type FieldsOf,
  type Filled,
  type Form,
  mistake,
  oneOrMore,
  record,
} from '../policy/forms.ts'
import { type CertificateMapping, certificateFields, defaultCertificateMapping } from './certificate.ts'
import { valuesOf } from './issuers.ts'
import { loopbackPeers, Peers, type TrustedHeaders } from './trustedHeader.ts'

const header: Form<string> = {
  says: 'the name of a header',
  schema: { type: 'string', pattern: "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$" },
  read(node, name, report) {
    const text = node.kind === 'scalar' && typeof node.value === 'string' ? node.value : ''
    const isName = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(text) && !reserved.has(text.toLowerCase())
    return isName ? text.toLowerCase() : mistake(node, name, header.says, report)
  },
}

/** These mean something else, or are no one's word. */
const reserved = new Set(['authorization', 'cookie', 'host', 'origin', 'content-type', 'content-length', 'connection'])

const peer: Form<readonly string[]> = {
  says: '`loopback`, an address or a network like `10.0.0.0/8`',
  schema: { type: 'string' },
  read(node, name, report) {
    const text = node.kind === 'scalar' && typeof node.value === 'string' ? node.value : ''
    if (text === 'loopback') return loopbackPeers
    try {
      new Peers([text])
      return [text]
    } catch {
      return mistake(node, name, peer.says, report)
    }
  },
}

const headerKeys = {
  from: { form: oneOrMore(peer), about: 'From whom they are believed.', required: 'say from whom it is believed' },
  agent: { form: header, about: 'The header that names the agent.' },
  user: { form: header, about: 'The header that names the person.' },
  project: { form: header, about: 'The header that names the project.' },
  groups: { form: header, about: 'The header with the groups, with commas between them.' },
} as const

export const headerForm = record('a map of headers', headerKeys, { owner: 'a trusted header' })

const certificatePart = oneOrMore(choice(...certificateFields))

const certificateKeys = {
  agent: { form: certificatePart, about: 'What names the agent; `san.uri`, else `subject.CN`, if not given.' },
  user: { form: certificatePart, about: 'What names the person; `san.email` if not given.' },
  project: { form: certificatePart, about: 'What names the project.' },
  groups: { form: certificatePart, about: 'What has the groups.' },
} as const

export const certificateForm = record('a map of what names whom', certificateKeys, { owner: 'a certificate' })

export function headersOf(
  field: Field<Filled<FieldsOf<typeof headerKeys>>> | undefined,
  report: Report,
): TrustedHeaders | undefined {
  if (!field?.value) return undefined
  const { from, ...named } = field.value.fields
  if (!named.agent && !named.user)
    report.error(field.at, 'missing_key', '`trusted_header` names the header of an `agent` or of a `user`')
  const headers = Object.entries(named).flatMap(([key, one]) => (one?.value === undefined ? [] : [[key, one.value]]))
  if (!from?.value) return undefined
  return { ...Object.fromEntries(headers), from: new Peers(from.value.flatMap(({ value }) => value)) }
}

export function certificatesOf(fields: FieldsOf<typeof certificateKeys>): CertificateMapping {
  return {
    agent: valuesOf(fields.agent) ?? defaultCertificateMapping.agent,
    user: valuesOf(fields.user) ?? defaultCertificateMapping.user,
    project: valuesOf(fields.project) ?? [],
    groups: valuesOf(fields.groups) ?? [],
  }
}
