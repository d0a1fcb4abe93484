/** Conditions in words: `argument \`currency\` is one of "EUR", "USD"`. */
import type { Condition, Scalar, Test } from '../model/policy.ts'
import { pathText } from '../model/policy.ts'

export function conditionText({ path, optional, test }: Condition): string {
  const subject = path.length === 0 ? 'it' : `argument \`${pathText(path)}\``
  return `${subject} ${testText(test)}${optional ? ', or is not there' : ''}`
}

export function allText(conditions: readonly Condition[]): string {
  return conditions.map(conditionText).join('; and ')
}

function testText(test: Test): string {
  switch (test.kind) {
    case 'present':
      return 'is there'
    case 'absent':
      return 'is not there'
    case 'exists':
      return test.there ? 'is there' : 'is not there'
    case 'type':
      return `is of type ${test.types.join(' or ')}`
    case 'enum':
      return `is one of ${valuesText(test.values)}`
    case 'one_of':
      return `is ${test.negated ? 'none' : 'one'} of ${valuesText(test.values)}`
    case 'range':
      return `is a number ${boundsText(test)}`
    case 'length':
      return `has a length ${boundsText(test)}`
    case 'prefix':
      return `begins with ${JSON.stringify(test.prefix)}`
    case 'pattern':
      return `matches \`${test.pattern}\` as a whole`
    case 'search':
      return `has a match of \`${test.pattern}\``
    case 'contains':
      return `contains ${valuesText(test.values)}`
    case 'each':
      return `has only elements of which this holds: ${allText(test.conditions)}`
    case 'any':
      return `has an element of which this holds: ${allText(test.conditions)}`
  }
  return test satisfies never
}

function valuesText(values: readonly Scalar[]): string {
  return values.map((value) => JSON.stringify(value)).join(', ')
}

function boundsText(bounds: { min?: number; max?: number; above?: number; below?: number }): string {
  const words = { min: 'of at least', above: 'above', max: 'of at most', below: 'below' } as const
  const said = (Object.keys(words) as (keyof typeof words)[]).flatMap((key) =>
    bounds[key] === undefined ? [] : [`${words[key]} ${bounds[key]}`],
  )
  return said.join(' and ')
}
