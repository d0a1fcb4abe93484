/** Whom a rule or an entry is for, as Rego: the proof that it is for the caller, and the proof that it is not. */
import { callerFields } from '../model/callers.ts'
import type { Callers, CallerTest, Pattern } from '../model/policy.ts'
import { patternBody } from './patterns.ts'
import type { Rules } from './rules.ts'

type Field = (typeof callerFields)[number]

/** The rule that proves the caller to be one of these. */
export function oneOfThem(callers: Callers, rules: Rules): string {
  return rules.add(
    [],
    callers.map((test) => fieldsOf(test).map(([field, patterns]) => named(field, patterns, rules))),
  )
}

/** The rule that proves the caller to be none of these: of each alternative something is known that differs. */
export function noneOfThem(callers: Callers, rules: Rules): string {
  const differing = callers.map((test) =>
    rules.add(
      [],
      fieldsOf(test).map(([field, patterns]) => [known(field), `not ${named(field, patterns, rules)}`]),
    ),
  )
  return rules.add([], [differing])
}

function fieldsOf(test: CallerTest): readonly (readonly [Field, readonly Pattern[]])[] {
  return callerFields.flatMap((field) => {
    const patterns = test[field]
    return patterns ? [[field, patterns] as const] : []
  })
}

function known(field: Field): string {
  return field === 'groups' ? 'is_array(input.principal.groups)' : `is_string(input.principal.${field})`
}

function named(field: Field, patterns: readonly Pattern[], rules: Rules): string {
  const [proof, subject] =
    field === 'groups'
      ? ([['some group in input.principal.groups'], 'group'] as const)
      : ([[known(field)], `input.principal.${field}`] as const)
  return rules.add(
    [],
    patterns.map((pattern) => [...proof, ...patternBody(pattern, subject)]),
  )
}
