/** The policy's own two reason codes: of the guard's allowlists, and of native policies. */
import type { Report } from './diagnostics.ts'
import { type Field, type FieldsOf, type Filled, record } from './forms.ts'
import { label } from './scalars.ts'

export const reasonCodeKeys = {
  allow: { form: label, about: 'The reason code of an allowed call.' },
  block: { form: label, about: 'The reason code of a refused call.' },
} as const

export const reasonCodesForm = record('a map with `allow` and `block`', reasonCodeKeys)

export function reasonCodesOf(
  written: Field<Filled<FieldsOf<typeof reasonCodeKeys>>> | undefined,
  report: Report,
): { readonly allow?: string; readonly block?: string } {
  const { allow, block } = written?.value?.fields ?? {}
  if (allow?.value !== undefined && allow.value === block?.value)
    report.error(block.at, 'contradiction', '`allow` and `block` must be two different reason codes')
  return {
    ...(allow?.value !== undefined && { allow: allow.value }),
    ...(block?.value !== undefined && { block: block.value }),
  }
}
