/** The language references, and the examples in them. */
import { readFileSync } from 'node:fs'

export const policyPages = new URL('../../docs/policies/', import.meta.url)

export function pageOf(name: string): string {
  return readFileSync(new URL(name, policyPages), 'utf8')
}

/** What stands in blocks of YAML or JSON. */
export function examplesOf(name: string): string[] {
  return [...pageOf(name).matchAll(/^```(?:yaml|json)\n(.*?)^```$/gms)].map(([, text]) => text as string)
}
