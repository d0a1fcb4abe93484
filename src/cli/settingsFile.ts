/** The settings of a gate in one file: its options, who calls, TLS, what servers are shown. Every mistake is told at once. */
import { readFileSync, statSync } from 'node:fs'
import { dirname, isAbsolute, join } from 'node:path'
import { placeIn } from '../distribution/places.ts'
import { type CredentialSettings, credentialsForm, credentialsOf } from '../identity/credentials.ts'
import { type IdentitySettings, identityForm, identityOf, located, locatedIssuer } from '../identity/settings.ts'
import { messageOf } from '../model/errors.ts'
import { policyBytesMax } from '../model/limits.ts'
import { type Diagnostic, Report } from '../policy/diagnostics.ts'
import { type Field, type Form, type Keys, mistake, record, type Schema } from '../policy/forms.ts'
import { label } from '../policy/scalars.ts'
import { readSource } from '../policy/source.ts'
import { readText, start } from '../policy/text.ts'
import { type ApproverTokens, approverTokensForm, approverTokensOf } from './approverTokens.ts'
import { settingsEntries } from './settingsOptions.ts'

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
  /** Who is known at the admission server by a token. */
  readonly approverTokens?: readonly ApproverTokens[]
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

const gateKeys = {
  identity: { form: identityForm, about: 'Who calls.' },
  tls: { form: tlsForm, about: 'The gate speaks TLS.' },
  approver_tokens: { form: approverTokensForm, about: 'Whose tokens count at the page and the API of approvals.' },
  public_url: { form: origin, about: 'How clients reach the gate, where a proxy stands before it.' },
  credentials: { form: credentialsForm, about: 'What servers are shown, by the names that policies call them.' },
} as const

/** What stands in flags as well, by its key in the file. */
const optionKeys: Keys = Object.fromEntries(
  settingsEntries.flatMap(([key, { about, inFile }]) => (inFile ? [[key, { form: inFile, about }]] : [])),
)

const settingsForm = record('the settings of a gate', { ...optionKeys, ...gateKeys })

export const settingsSchema: Schema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: 'urn:tollgate:settings:1',
  title: 'Settings of a gate',
  ...settingsForm.schema,
}

export interface ReadSettings {
  readonly settings: GateSettings
  /** Words of flags, by the option. */
  readonly options: ReadonlyMap<string, readonly string[]>
  readonly mistakes: readonly Diagnostic[]
  /** The file as far as it is text. */
  readonly text: string
}

/** What can be read, and every mistake. */
export function readSettings(file: string): ReadSettings {
  const report = new Report(file)
  const bytes = bytesOf(file, report)
  const { settings, options } = settingsIn(file, bytes, report) ?? nothing
  return { settings, options, mistakes: report.diagnostics(), text: new TextDecoder().decode(bytes) }
}

const nothing = { settings: { credentials: [] }, options: new Map<string, readonly string[]>() }

function settingsIn(
  file: string,
  bytes: Uint8Array | undefined,
  report: Report,
): Pick<ReadSettings, 'settings' | 'options'> | undefined {
  const text = bytes && readText(bytes, report)
  const root = text === undefined ? undefined : readSource(text, report)
  const fields = root && settingsForm.read(root, 'the settings', report)?.fields
  if (fields === undefined) {
    if (!report.failed) report.error(start, 'wrong_value', 'the file holds no settings')
    return undefined
  }
  const beside = (name: string) => (isAbsolute(name) ? name : join(dirname(file), name))
  const given = fields as OptionFields
  reportTwoWays(given, report)
  return { settings: gateSettingsOf(fields, beside, report), options: optionsIn(given, beside) }
}

/** Two keys that say the same thing in two ways. */
const oneOfTwo = [
  ['policy', 'layers'],
  ['policy', 'bundles'],
  ['layers', 'bundles'],
  ['policy', 'discovery'],
  ['layers', 'discovery'],
  ['bundles', 'discovery'],
  ['trust', 'verify_keys'],
  ['trust', 'allow_unsigned'],
  ['verify_keys', 'allow_unsigned'],
  ['upstream', 'command'],
] as const

type Fields = NonNullable<ReturnType<typeof settingsForm.read>>['fields']
type OptionFields = Readonly<Record<string, Field<readonly string[]> | undefined>>

function reportTwoWays(fields: OptionFields, report: Report): void {
  for (const [one, other] of oneOfTwo) {
    const [first, second] = [fields[one], fields[other]]
    if (first && second)
      report.error(second.keyAt, 'contradiction', `\`${other}\` does not go with \`${one}\`: name one of them`)
  }
}

function optionsIn(fields: OptionFields, beside: (name: string) => string): ReadonlyMap<string, readonly string[]> {
  const given = settingsEntries.flatMap(([key, { option, isFile, inFile }]): readonly [string, readonly string[]][] => {
    // Some are keys of the file in a way of their own: those are none of its words.
    const words = inFile && fields[key]?.value
    return words ? [[option, isFile ? words.map((word) => locatedWord(option, word, beside)) : words]] : []
  })
  return new Map(given)
}

/** Files are found beside the settings, also in `NAME=FILE` and `unix:PATH`. */
function locatedWord(option: string, word: string, beside: (name: string) => string): string {
  if (option === 'ledger' && word === ':memory:') return word
  if (option === 'admin' || option === 'extMcp')
    return word.startsWith('unix:') ? `unix:${beside(word.slice(5))}` : word
  if (!['layer', 'bundle', 'discovery', 'bundleTokenFile'].includes(option)) return beside(word)
  const at = option === 'discovery' ? 0 : (/^[A-Za-z][A-Za-z0-9_-]*=/.exec(word)?.[0].length ?? 0)
  const named = word.slice(at)
  return ['bundle', 'discovery'].includes(option) && placeIn(named)?.kind !== 'file'
    ? word
    : word.slice(0, at) + beside(named)
}

function gateSettingsOf(fields: Fields, beside: (name: string) => string, report: Report): GateSettings {
  const { cert, key, client_ca } = fields.tls?.value?.fields ?? {}
  const identity = fields.identity?.value && identityOf(fields.identity.value, report)
  if (identity?.certificates && !client_ca)
    report.error(
      fields.identity?.value?.fields.certificate?.keyAt ?? start,
      'contradiction',
      '`certificate` needs `client_ca` under `tls`: without it no client certificate is believed',
    )
  const approverTokens = fields.approver_tokens?.value && approverTokensOf(fields.approver_tokens.value, report)
  return {
    ...(identity && { identity: located(identity, beside) }),
    ...(approverTokens && {
      approverTokens: approverTokens.map((one) => ({ ...one, issuer: locatedIssuer(one.issuer, beside) })),
    }),
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
