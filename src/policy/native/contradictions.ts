/** Constraints on one argument that no value can meet together. */
import type { JsonType, Scalar } from '../../model/policy.ts'
import { literal, quote, type Report } from '../diagnostics.ts'
import { wholeMatch } from '../expressions.ts'
import type { ConstraintFields } from './arguments.ts'

/** JSON's types, with numbers in two parts that do not overlap. */
type Atom = 'string' | 'integer' | 'fraction' | 'boolean' | 'array' | 'object' | 'null'

export function reportContradictions(fields: ConstraintFields, report: Report): void {
  reportBounds(fields, report)
  reportTypes(fields, report)
  reportValues(fields, report)
}

function reportBounds(fields: ConstraintFields, report: Report): void {
  for (const low of ['min', 'above'] as const) {
    for (const high of ['max', 'below'] as const) {
      const [least, most] = [fields[low], fields[high]]
      if (least?.value === undefined || most?.value === undefined || least.value < most.value) continue
      if (least.value === most.value && low === 'min' && high === 'max') continue
      const words =
        least.value === most.value
          ? `no number is between the \`${low}\` and the \`${high}\` of ${most.value}`
          : `\`${high}\` of ${most.value} is below the \`${low}\` of ${least.value}`
      report.error(most.at, 'contradiction', words)
    }
  }
}

/** The types that each constraint leaves possible. */
function possible(fields: ConstraintFields): { key: keyof ConstraintFields; atoms: ReadonlySet<Atom> }[] {
  const list: { key: keyof ConstraintFields; atoms: ReadonlySet<Atom> }[] = []
  const add = (key: keyof ConstraintFields, ...atoms: readonly Atom[]) => {
    if (fields[key]) list.push({ key, atoms: new Set(atoms) })
  }
  add('type', ...(fields.type?.value ?? []).flatMap(({ value }) => atomsOfType(value)))
  add('enum', ...(fields.enum?.value ?? []).map(({ value }) => atomOf(value.value)))
  add('min', 'integer', 'fraction')
  add('max', 'integer', 'fraction')
  add('above', 'integer', 'fraction')
  add('below', 'integer', 'fraction')
  add('one_of', ...(fields.one_of?.value ?? []).map(({ value }) => atomOf(value.value)))
  add('length', 'string', 'array')
  add('prefix', 'string')
  add('pattern', 'string')
  add('search', 'string')
  add('contains', 'string', 'array')
  add('each', 'array')
  add('any', 'array')
  add('fields', 'object')
  // What was not readable rules out nothing.
  return list.filter(({ atoms }) => atoms.size > 0)
}

function reportTypes(fields: ConstraintFields, report: Report): void {
  const earlier: { key: keyof ConstraintFields; atoms: ReadonlySet<Atom> }[] = []
  for (const next of possible(fields)) {
    const clash = earlier.find(({ atoms }) => ![...atoms].some((atom) => next.atoms.has(atom)))
    // One value of another type in an `enum` is told at the value.
    if (clash && !(clash.key === 'type' && next.key === 'enum')) {
      const words = `\`${next.key}\` is about ${describe(next.atoms)}, \`${clash.key}\` about ${describe(clash.atoms)}`
      const at = fields[next.key]?.keyAt
      if (at) report.error(at, 'contradiction', `${words}: no value is both`)
    } else earlier.push(next)
  }
}

const words: Readonly<Record<Atom, string>> = {
  string: 'text',
  integer: 'numbers',
  fraction: 'numbers',
  boolean: 'booleans',
  array: 'arrays',
  object: 'objects',
  null: 'null',
}

function describe(atoms: ReadonlySet<Atom>): string {
  return [...new Set([...atoms].map((atom) => words[atom]))].join(' and ')
}

function atomsOfType(type: JsonType): readonly Atom[] {
  return type === 'number' ? ['integer', 'fraction'] : [type]
}

function atomOf(value: Scalar): Atom {
  if (value === null) return 'null'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'fraction'
  return typeof value as 'string' | 'boolean'
}

/** A value that the other constraints refuse is a mistake, even if others of the list pass. */
function reportValues(fields: ConstraintFields, report: Report): void {
  for (const key of ['one_of', 'none_of'] as const)
    if (fields[key]?.value?.length === 0)
      report.warning(fields[key].at, 'says_nothing', `\`${key}\` lists nothing: no value is in it`)
  const seen = new Set<Scalar>()
  for (const { value: written, at } of fields.enum?.value ?? []) {
    const { value } = written
    const refusing = refusingKey(value, fields)
    if (refusing) report.error(at, 'contradiction', `${shown(value)} can never pass: \`${refusing}\` refuses it`)
    if (seen.has(value)) report.warning(at, 'duplicate_name', `\`enum\` lists ${shown(value)} twice`)
    seen.add(value)
  }
}

function shown(value: Scalar): string {
  return typeof value === 'string' ? literal(value) : quote(String(value))
}

function refusingKey(value: Scalar, fields: ConstraintFields): keyof ConstraintFields | undefined {
  const types = fields.type?.value
  if (types && !types.some((type) => atomsOfType(type.value).includes(atomOf(value)))) return 'type'
  if (typeof value === 'number') return refusingNumber(value, fields)
  return typeof value === 'string' ? refusingText(value, fields) : undefined
}

function refusingNumber(
  value: number,
  { min, max, above, below }: ConstraintFields,
): keyof ConstraintFields | undefined {
  if (min?.value !== undefined && value < min.value) return 'min'
  if (above?.value !== undefined && value <= above.value) return 'above'
  if (below?.value !== undefined && value >= below.value) return 'below'
  return max?.value !== undefined && value > max.value ? 'max' : undefined
}

function refusingText(value: string, fields: ConstraintFields): keyof ConstraintFields | undefined {
  const { min = 0, max = Number.POSITIVE_INFINITY } = fields.length?.value ?? {}
  const length = [...value].length
  if (length < min || length > max) return 'length'
  if (fields.prefix?.value !== undefined && !value.startsWith(fields.prefix.value)) return 'prefix'
  const pattern = fields.pattern?.value
  return pattern !== undefined && !wholeMatch(pattern, value) ? 'pattern' : undefined
}
