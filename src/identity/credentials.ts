/** The settings of what servers are shown: where the operator's credential for each stands. */
import { quote, type Report } from '../policy/diagnostics.ts'
import { type Field, mapOf, record } from '../policy/forms.ts'
import { label } from '../policy/scalars.ts'

const credentialKeys = {
  bearer_file: { form: label, about: 'A file with a token: sent as `Authorization: Bearer`.' },
  bearer_env: { form: label, about: 'A variable with such a token.' },
  headers_file: { form: label, about: 'A file with headers, one a line, as `X-Api-Key: abc`.' },
} as const

const credentialForm = record('what a server is shown: a map', credentialKeys, { owner: 'a credential' })

export const credentialsForm = mapOf(credentialForm, 'a map from names of servers')

/** What a server is shown, and where it stands. */
export interface CredentialSettings {
  readonly server: string
  readonly from: keyof typeof credentialKeys
  readonly place: string
}

export function credentialsOf(
  written: Field<NonNullable<ReturnType<typeof credentialsForm.read>>> | undefined,
  report: Report,
): readonly CredentialSettings[] {
  return (written?.value ?? []).flatMap(({ name, nameAt, value }) => {
    const given = Object.entries(value.fields).flatMap(([from, field]) =>
      field?.value === undefined
        ? []
        : [{ server: name, from: from as CredentialSettings['from'], place: field.value }],
    )
    if (given.length !== 1 && !value.misspelt)
      report.error(
        nameAt,
        'missing_key',
        `${quote(name)} has one of \`bearer_file\`, \`bearer_env\` and \`headers_file\``,
      )
    return given
  })
}
