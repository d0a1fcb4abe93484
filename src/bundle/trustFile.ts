/** The file that says whom bundles are believed from: keys by their names, how many of them, how fresh. */
import { TollgateError } from '../model/errors.ts'
import { algorithms, isSecret } from '../opa/algorithms.ts'
import { BundleError } from '../opa/errors.ts'
import { type VerificationKey, verificationKey } from '../opa/keys.ts'
import type { Trust } from '../opa/trust.ts'
import { type Diagnostic, formatDiagnostic, Report } from '../policy/diagnostics.ts'
import { duration } from '../policy/durations.ts'
import { choice, type FieldsOf, type Filled, flag, mapOf, record, type Schema } from '../policy/forms.ts'
import { label, text, wholeNumber } from '../policy/scalars.ts'
import { readSource } from '../policy/source.ts'
import { readText, start } from '../policy/text.ts'

const dayMs = 24 * 60 * 60_000

/** Names and meaning as in the configuration of OPA, and `file`. */
const keyKeys = {
  key: { form: text, about: 'The public key, as PEM; of HS256 the secret.' },
  file: { form: label, about: 'Where it stands, in the place of `key`: a file beside this one.' },
  algorithm: {
    form: choice(...algorithms),
    about: 'What it signs with. Of a PEM, RS256, ES256 or EdDSA unless it is said.',
  },
  scope: { form: label, about: 'What signatures by it must be for.' },
} as const

const keyForm = record('a key: a map', keyKeys, { owner: 'a key' })

const trustKeys = {
  keys: {
    form: mapOf(keyForm, 'a map from the names of keys to keys'),
    about: 'Whose signatures count, by the ids that stand in them.',
    required: 'name the keys that bundles are signed with',
  },
  threshold: { form: wholeNumber(1, 16), about: 'How many different keys must have signed (1).' },
  scope: { form: label, about: 'What signatures must be for, whatever the key says.' },
  max_age: { form: duration(60_000, 3_650 * dayMs), about: 'How old a signature may be.' },
  min_sequence: { form: wholeNumber(0), about: 'Bundles with a lower sequence are refused.' },
  allow_unsigned: { form: flag, about: 'A bundle that nobody signed will do: for tests, and with no keys.' },
} as const

const trustForm = record('a trust file: a map with `keys`', trustKeys, { owner: 'a trust file' })

export const trustSchema: Schema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: 'urn:tollgate:trust:1',
  title: 'Whom Tollgate believes bundles from',
  ...trustForm.schema,
}

/** `beside` reads a file that the trust file names. Throws `trust_invalid` with every mistake. */
export function readTrust(file: string, bytes: Uint8Array, beside: (name: string) => Uint8Array): Trust {
  const report = new Report(file)
  const source = readText(bytes, report)
  const root = source === undefined ? undefined : readSource(source, report)
  const read = root && trustForm.read(root, 'the file', report)
  if (!read && !report.failed) report.error(start, 'wrong_value', 'the file says nothing')
  const keys = read?.fields.keys?.value?.flatMap(({ name, nameAt, value }) =>
    keyOf(name, nameAt, value, beside, report),
  )
  const threshold = read?.fields.threshold?.value ?? 1
  if (keys && !report.failed && new Set(keys.map(({ fingerprint }) => fingerprint)).size < threshold && keys.length > 0)
    report.error(
      read?.fields.threshold?.at ?? start,
      'contradiction',
      `${threshold} keys must sign, and there are fewer different ones`,
    )
  const unsigned = read?.fields.allow_unsigned
  if (keys && keys.length > 0 && unsigned?.value)
    report.error(
      unsigned.keyAt,
      'contradiction',
      'there are keys, and whoever takes a signature away would get around them',
    )
  if (!keys || report.failed)
    throw new TollgateError('trust_invalid', report.diagnostics().map(withoutValue).map(formatDiagnostic).join('\n'))
  const { scope, max_age: maxAge, min_sequence: minSequence, allow_unsigned: allowUnsigned } = read?.fields ?? {}
  if (keys.length === 0 && !allowUnsigned?.value)
    throw new TollgateError('trust_invalid', `\`${file}\` names no key, so no bundle could be believed`)
  return {
    keys,
    threshold,
    ...(scope?.value !== undefined && { scope: scope.value }),
    ...(maxAge?.value !== undefined && { ageMsMax: maxAge.value }),
    ...(minSequence?.value !== undefined && { sequenceMin: minSequence.value }),
    ...(allowUnsigned?.value && { allowUnsigned: true }),
  }
}

/** What stands in the wrong place may be a secret, and mistakes end in logs. */
function withoutValue(diagnostic: Diagnostic): Diagnostic {
  return { ...diagnostic, message: diagnostic.message.replace(/, got .*/s, '') }
}

type Spot = typeof start

function keyOf(
  id: string,
  at: Spot,
  { fields }: Filled<FieldsOf<typeof keyKeys>>,
  beside: (name: string) => Uint8Array,
  report: Report,
): readonly VerificationKey[] {
  if (!fields.key === !fields.file) {
    report.error(at, 'missing_key', 'a key stands in `key`, or in the file that `file` names: one of them')
    return []
  }
  const name = fields.file?.value ?? id
  const written =
    fields.key?.value ??
    (fields.file?.value === undefined ? undefined : readBeside(fields.file.value, beside, fields.file.at, report))
  if (written === undefined) return []
  const algorithm = fields.algorithm?.value
  try {
    const scope = fields.scope?.value
    return [
      verificationKey({
        id,
        name,
        text: written,
        ...(algorithm && { algorithm }),
        ...(scope !== undefined && { scope }),
      }),
    ]
  } catch (error) {
    if (!(error instanceof BundleError)) throw error
    report.error(at, 'wrong_value', error.message)
    return []
  }
}

function readBeside(
  name: string,
  beside: (name: string) => Uint8Array,
  at: Spot,
  report: Report,
): Uint8Array | undefined {
  try {
    return beside(name)
  } catch (error) {
    if (!(error instanceof TollgateError)) throw error
    report.error(at, 'unreadable', error.message)
    return undefined
  }
}

/** What is worth a word and no mistake. */
export function trustWarnings({ keys, allowUnsigned }: Trust): readonly string[] {
  const secrets = keys.filter(({ algorithm }) => isSecret(algorithm))
  return [
    ...(allowUnsigned ? ['bundles that nobody signed are accepted'] : []),
    ...secrets.map(
      ({ id, algorithm }) =>
        `the key \`${id ?? ''}\` is a secret (${algorithm}): whoever can verify with it can sign with it`,
    ),
  ]
}
