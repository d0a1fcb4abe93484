/**
 * Conditions in three values. `unclear` (missing, or not of a type the test can judge) is never taken for the answer
 * that would let a call through: a requirement needs a yes, a deny or hold rule is cleared by a no alone.
 */
import { RE2JS } from 're2js'
import type { Json } from '../model/canonical.ts'
import type { Condition, JsonType, Path, Test } from '../model/policy.ts'

export type Truth = 'yes' | 'no' | 'unclear'

/** What asks: a requirement, or a rule that stops a call. `required: false` favours the caller, so it depends on this. */
export type Asker = 'require' | 'stop'

export function truthOf({ path, optional, test }: Condition, root: Json, asker: Asker): Truth {
  const found = find(root, path)
  if (test.kind === 'absent')
    return found === 'missing' ? 'yes' : found === 'unreadable' ? 'unclear' : presence(found.value, 'no')
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

function judge(test: Exclude<Test, { kind: 'absent' }>, value: Json, asker: Asker): Truth {
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
      return typeof value === 'string' ? truth(RE2JS.compile(test.pattern).matches(value)) : 'unclear'
    case 'each':
    case 'any': {
      if (!Array.isArray(value)) return 'unclear'
      const elements = value.map((element: Json) => all(test.conditions.map((c) => truthOf(c, element, asker))))
      return test.kind === 'each' ? all(elements) : some(elements)
    }
  }
  return test satisfies never
}

/** A member that is null is there and is not: servers disagree, so it proves nothing. */
function presence(value: Json, there: Truth): Truth {
  return value === null ? 'unclear' : there
}

function truth(is: boolean): Truth {
  return is ? 'yes' : 'no'
}

function within(value: number, { min, max }: { readonly min?: number; readonly max?: number }): boolean {
  return (min === undefined || value >= min) && (max === undefined || value <= max)
}

function kindOf(value: Json): string {
  return value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value
}

/** An integer is one that every number type holds exactly. */
function isOfType(value: Json, type: JsonType): boolean {
  return type === 'integer' ? Number.isSafeInteger(value) : kindOf(value) === type
}
