/**
 * Conditions in three values. `unclear` (missing, or not of a type the test can judge) is never taken for the answer
 * that would let a call through: a requirement needs a yes, a deny or hold rule is cleared by a no alone.
 */
import type { Json } from '../model/canonical.ts'
import type { Condition, JsonType, Path, Scalar, Test } from '../model/policy.ts'
import { expressionOf } from './patterns.ts'

export type Truth = 'yes' | 'no' | 'unclear'

/** What asks: a requirement, or a rule that stops a call. `required: false` favours the caller, so it depends on this. */
export type Asker = 'require' | 'stop'

export function truthOf({ path, optional, test }: Condition, root: Json, asker: Asker): Truth {
  const found = find(root, path)
  if (test.kind === 'absent')
    return found === 'missing' ? 'yes' : found === 'unreadable' ? 'unclear' : presence(found.value, 'no')
  if (test.kind === 'exists') return truth((typeof found === 'object' && found.value !== null) === test.there)
  if (found === 'missing' && test.kind === 'present') return 'no'
  if (found === 'missing') return optional ? (asker === 'require' ? 'yes' : 'no') : 'unclear'
  return found === 'unreadable' ? 'unclear' : judge(test, found.value, asker)
}

/** Yes when all are, no when one is. Nothing at all is a yes. */
export function all(truths: readonly Truth[]): Truth {
  return truths.includes('no') ? 'no' : truths.includes('unclear') ? 'unclear' : 'yes'
}

function some(truths: readonly Truth[]): Truth {
  return truths.includes('yes') ? 'yes' : truths.includes('unclear') ? 'unclear' : 'no'
}

/** `missing`: an object on the way lacks the key. `unreadable`: something on the way is no object. */
function find(root: Json, path: Path): { value: Json } | 'missing' | 'unreadable' {
  let value = root
  for (const key of path) {
    if (value === null || typeof value !== 'object' || Array.isArray(value)) return 'unreadable'
    if (!Object.hasOwn(value, key)) return 'missing'
    value = (value as Record<string, Json>)[key] as Json
  }
  return { value }
}

function judge(test: Exclude<Test, { kind: 'absent' | 'exists' }>, value: Json, asker: Asker): Truth {
  switch (test.kind) {
    case 'present':
      return presence(value, 'yes')
    case 'type':
      return truth(test.types.some((type) => isOfType(value, type)))
    case 'enum':
      if (test.values.includes(value as never)) return 'yes'
      return test.values.some((allowed) => kindOf(allowed) === kindOf(value)) ? 'no' : 'unclear'
    case 'range':
      return typeof value === 'number' ? truth(within(value, test)) : 'unclear'
    case 'length': {
      const length = Array.isArray(value) ? value.length : typeof value === 'string' ? [...value].length : undefined
      return length === undefined ? 'unclear' : truth(within(length, test))
    }
    case 'prefix':
      return typeof value === 'string' ? truth(value.startsWith(test.prefix)) : 'unclear'
    case 'pattern':
      return typeof value === 'string' ? truth(expressionOf(test.pattern).matches(value)) : 'unclear'
    case 'search':
      return typeof value === 'string' ? truth(expressionOf(test.pattern).matcher(value).find()) : 'unclear'
    case 'one_of':
      return couldPrintAs(value, test.values) ? 'unclear' : truth(test.values.includes(value as never) !== test.negated)
    case 'contains':
      return truth(contains(value, test))
    case 'each':
    case 'any': {
      if (!Array.isArray(value)) return 'unclear'
      const elements = value.map((element: Json) => all(test.conditions.map((c) => truthOf(c, element, asker))))
      return test.kind === 'each' ? all(elements) : some(elements)
    }
  }
  return test satisfies never
}

/** Go prints a list as `[a b]` and a map as `map[a:1]`: where one of these is a value to compare with, who knows. */
function couldPrintAs(value: Json, values: readonly Scalar[]): boolean {
  if (value === null || typeof value !== 'object') return false
  const start = Array.isArray(value) ? '[' : 'map['
  return values.some((text) => typeof text === 'string' && text.startsWith(start) && text.endsWith(']'))
}

function contains(value: Json, { text, values }: Extract<Test, { kind: 'contains' }>): boolean {
  if (typeof value === 'string') return text !== undefined && value.includes(text)
  return Array.isArray(value) && value.some((element: Json) => values.includes(element as never))
}

/** A member that is null is there and is not: servers disagree, so it proves nothing. */
function presence(value: Json, there: Truth): Truth {
  return value === null ? 'unclear' : there
}

function truth(is: boolean): Truth {
  return is ? 'yes' : 'no'
}

export function within(value: number, { min, max, above, below }: Bounds): boolean {
  return (
    (min === undefined || value >= min) &&
    (max === undefined || value <= max) &&
    (above === undefined || value > above) &&
    (below === undefined || value < below)
  )
}

interface Bounds {
  readonly min?: number
  readonly max?: number
  readonly above?: number
  readonly below?: number
}

function kindOf(value: Json): string {
  return value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value
}

/** An integer is one that every number type holds exactly. */
function isOfType(value: Json, type: JsonType): boolean {
  return type === 'integer' ? Number.isSafeInteger(value) : kindOf(value) === type
}
