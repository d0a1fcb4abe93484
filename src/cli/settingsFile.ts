/** The settings of a gate in one file: who calls, TLS, what servers are shown. Every mistake is told at once. */
import { readFileSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { type CredentialSettings, credentialsForm, credentialsOf } from '../identity/credentials.ts'
import { type IdentitySettings, identityForm, identityOf, located } from '../identity/settings.ts'
import { messageOf, TollgateError } from '../model/errors.ts'
import { policyBytesMax } from '../model/limits.ts'
import { formatDiagnostic, Report } from '../policy/diagnostics.ts'
import { type Form, mistake, record } from '../policy/forms.ts'
import { label } from '../policy/scalars.ts'
import { readSource } from '../policy/source.ts'
import { readText, start } from '../policy/text.ts'

export interface TlsFiles {
  readonly cert: string
  readonly key: string
  readonly clientCa?: string | undefined
}

export interface GateSettings {
  readonly identity?: IdentitySettings
  readonly tls?: TlsFiles
  readonly credentials: readonly CredentialSettings[]
  /** Scheme and authority by which clients know the gate. */
  readonly publicUrl?: string
}

const origin: Form<string> = {
  says: 'the scheme and the name by which clients reach the gate, as in `https://gate.example.com`',
  schema: { type: 'string', format: 'uri' },
  read(node, name, report) {
    const text = node.kind === 'scalar' && typeof node.value === 'string' ? originOf(node.value) : undefined
    return text ?? mistake(node, name, origin.says, report)
  },
}

/** Undefined for what has more than a scheme and an authority. */
export function originOf(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isOrigin = url !== undefined && /^https?:$/.test(url.protocol) && `${url.origin}/` === url.href
  return isOrigin ? url.origin : undefined
}

const tlsForm = record(
  'a map of files',
  {
    cert: { form: label, about: 'The certificate chain of the gate.', required: 'name the file of the certificate' },
    key: { form: label, about: 'Its private key.', required: 'name the file of the key' },
    client_ca: { form: label, about: 'The authorities whose client certificates are believed.' },
  },
  { owner: '`tls`' },
)

export const settingsKeys = {
  identity: { form: identityForm, about: 'Who calls.' },
  tls: { form: tlsForm, about: 'The gate speaks TLS.' },
  public_url: { form: origin, about: 'How clients reach the gate, where a proxy stands before it.' },
  credentials: { form: credentialsForm, about: 'What servers are shown, by the names that policies call them.' },
} as const

const settingsForm = record('the settings of a gate', settingsKeys)

/** Throws `settings_invalid` with every mistake. */
export function readSettingsFile(file: string): GateSettings {
  const report = new Report(file)
  const settings = settingsIn(file, report)
  if (settings === undefined || report.failed)
    throw new TollgateError('settings_invalid', report.diagnostics().map(formatDiagnostic).join('\n'))
  return settings
}

function settingsIn(file: string, report: Report): GateSettings | undefined {
  const bytes = bytesOf(file, report)
  const text = bytes && readText(bytes, report)
  const root = text === undefined ? undefined : readSource(text, report)
  const fields = root && settingsForm.read(root, 'the settings', report)?.fields
  if (fields === undefined) {
    if (!report.failed) report.error(start, 'wrong_value', 'the file holds no settings')
    return undefined
  }
  const beside = (name: string) => resolve(dirname(file), name)
  const { cert, key, client_ca } = fields.tls?.value?.fields ?? {}
  const identity = fields.identity?.value && identityOf(fields.identity.value, report)
  if (identity?.certificates && !client_ca)
    report.error(
      fields.identity?.value?.fields.certificate?.keyAt ?? start,
      'contradiction',
      '`certificate` needs `client_ca` under `tls`: without it no client certificate is believed',
    )
  return {
    ...(identity && { identity: located(identity, beside) }),
    ...(cert?.value !== undefined &&
      key?.value !== undefined && {
        tls: {
          cert: beside(cert.value),
          key: beside(key.value),
          ...(client_ca?.value !== undefined && { clientCa: beside(client_ca.value) }),
        },
      }),
    credentials: credentialsOf(fields.credentials, report).map((one) =>
      one.from === 'bearer_env' ? one : { ...one, place: beside(one.place) },
    ),
    ...(fields.public_url?.value !== undefined && { publicUrl: fields.public_url.value }),
  }
}

function bytesOf(file: string, report: Report): Uint8Array | undefined {
  try {
    if (statSync(file).size > policyBytesMax) throw new Error(`it has more than ${policyBytesMax} bytes`)
    return readFileSync(file)
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    report.error(start, 'unreadable', missing ? 'there is no such file' : messageOf(error))
    return undefined
  }
}
