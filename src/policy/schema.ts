/**
 * JSON Schemas of the languages, for editors: completion, explanations, and most mistakes while one writes. They come
 * from the forms that read policies; what a schema cannot say, `tollgate check` does.
 */
import { aegisForm } from './aegis/policy.ts'
import type { Schema } from './forms.ts'
import { guardForm } from './guard.ts'
import { interceptForm } from './intercept/policy.ts'
import { constraints } from './native/arguments.ts'
import { callersWritten } from './native/callers.ts'
import { policyForm } from './native/policy.ts'
import { packForm } from './pack/keys.ts'
import { settingsForm } from './pack/settings.ts'

const draft = { $schema: 'https://json-schema.org/draft/2020-12/schema' }

/** Names, not addresses: they stay the same wherever a copy lies, and change with the version of the language. */
export const nativeSchema: Schema = {
  ...draft,
  $id: 'urn:tollgate:policy:native:1',
  title: 'Tollgate policy',
  ...policyForm.schema,
  $defs: { argument: constraints.schema, callers: callersWritten.schema },
}

export const guardSchema: Schema = {
  ...draft,
  $id: 'urn:tollgate:policy:guard:1',
  title: 'Tollgate guard allowlist',
  ...guardForm.schema,
}

export const interceptSchema: Schema = {
  ...draft,
  $id: 'urn:tollgate:policy:intercept:1',
  title: 'Intercept policy',
  ...interceptForm.schema,
  $defs: { argument: constraints.schema },
}

export const aegisSchema: Schema = {
  ...draft,
  $id: 'urn:tollgate:policy:aegis:1',
  title: 'Aegis policy',
  ...aegisForm.schema,
}

export const packSchema: Schema = {
  ...draft,
  $id: 'urn:tollgate:policy:pack:1',
  title: 'Policy pack',
  ...packForm.schema,
}

export const packSettingsSchema: Schema = {
  ...draft,
  $id: 'urn:tollgate:policy:pack-settings:1',
  title: 'Settings beside a policy pack',
  ...settingsForm.schema,
}

/** By the name of the language, as `docs/policies` calls it. */
export const schemas = {
  native: nativeSchema,
  guard: guardSchema,
  intercept: interceptSchema,
  aegis: aegisSchema,
  pack: packSchema,
  'pack-settings': packSettingsSchema,
} as const

export type SchemaName = keyof typeof schemas
