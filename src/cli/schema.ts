/** `tollgate schema`: the JSON Schema of a policy language, of the settings of a gate, of a trust file or of case files, for editors. */
import { trustSchema } from '../bundle/trustFile.ts'
import { type SchemaName as Language, schemas as languages } from '../policy/schema.ts'
import { casesSchema } from '../testing/caseFile/keys.ts'
import { settingsSchema } from './settingsFile.ts'

export const schemas = { ...languages, settings: settingsSchema, trust: trustSchema, cases: casesSchema } as const

export type SchemaName = Language | 'settings' | 'trust' | 'cases'

export function schema(language: SchemaName): void {
  process.stdout.write(`${JSON.stringify(schemas[language], null, 2)}\n`)
}
