/** `tollgate schema`: the JSON Schema of a policy language or of the settings of a gate, for editors. */
import { type SchemaName as Language, schemas as languages } from '../policy/schema.ts'
import { settingsSchema } from './settingsFile.ts'

export const schemas = { ...languages, settings: settingsSchema } as const

export type SchemaName = Language | 'settings'

export function schema(language: SchemaName): void {
  process.stdout.write(`${JSON.stringify(schemas[language], null, 2)}\n`)
}
