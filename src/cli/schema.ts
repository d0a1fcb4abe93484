/** `tollgate schema`: the JSON Schema of a policy language, for editors. */
import { type SchemaName, schemas } from '../policy/schema.ts'

export function schema(language: SchemaName): void {
  process.stdout.write(`${JSON.stringify(schemas[language], null, 2)}\n`)
}
