/** `tollgate schema`: the JSON Schema of a policy language, of the settings of a gate or of case files, for editors. */
import { type SchemaName as Language, schemas as languages } from '../policy/schema.ts'
import { casesSchema } from '../testing/caseFile/keys.ts'
import { settingsSchema } from './settingsFile.ts'

export const schemas = { ...languages, settings: settingsSchema, cases: casesSchema } as const

export type SchemaName = Language | 'settings' | 'cases'

export function schema(language: SchemaName): void {
  process.stdout.write(`${JSON.stringify(schemas[language], null, 2)}\n`)
}
