/** Names and globs as Rego: equality, prefix and suffix tests; a regular expression only where those cannot say it. */
import type { Pattern } from '../model/policy.ts'
import { literalPattern, term } from './quote.ts'

/** Expressions that together say: the text at `subject` matches. None: everything does. */
export function patternBody(pattern: Pattern, subject: string): readonly string[] {
  if (pattern.kind === 'literal') return [`${subject} == ${term(pattern.text)}`]
  const parts = pattern.text.split(/\*+/)
  if (pattern.text.includes('?') || parts.length > 2)
    return [`regex.match(${term(globPattern(pattern.text))}, ${subject})`]
  const [head = '', tail = ''] = parts
  if (parts.length === 1) return [`${subject} == ${term(head)}`]
  return [
    ...(head === '' ? [] : [`startswith(${subject}, ${term(head)})`]),
    ...(tail === '' ? [] : [`endswith(${subject}, ${term(tail)})`]),
    ...(head === '' || tail === '' ? [] : [`count(${subject}) >= ${[...head].length + [...tail].length}`]),
  ]
}

function globPattern(glob: string): string {
  const body = [...glob].map((char) => (char === '*' ? '.*' : char === '?' ? '.' : literalPattern(char))).join('')
  return `(?s)\\A${body}\\z`
}
