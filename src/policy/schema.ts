/**
 * JSON Schemas of the languages, for editors: completion, explanations, and most mistakes while one writes. They come
 * from the forms that read policies; what a schema cannot say, `tollgate check` does.
 */
import type { Schema } from './forms.ts'
import { guardForm } from './guard.ts'
import { constraints } from './native/arguments.ts'
import { policyForm } from './native/policy.ts'

const draft = { $schema: 'https://json-schema.org/draft/2020-12/schema' }

export const nativeSchema: Schema = {
  ...draft,
  title: 'Tollgate policy',
  ...policyForm.schema,
  $defs: { argument: constraints.schema },
}

export const guardSchema: Schema = { ...draft, title: 'Tollgate guard allowlist', ...guardForm.schema }
