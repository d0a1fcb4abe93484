/** Regular expressions: RE2, matched against the whole string. What is accepted here compiles in the engine too. */
import { RE2JS } from 're2js'
import { messageOf } from '../model/errors.ts'
import { quote } from './diagnostics.ts'
import { type Form, mistake } from './forms.ts'
import { patternCharsMax } from './limits.ts'

export const expression: Form<string> = {
  says: 'a regular expression (RE2)',
  schema: { type: 'string', minLength: 1, maxLength: patternCharsMax },
  read(node, label, report) {
    if (node.kind !== 'scalar' || typeof node.value !== 'string') return mistake(node, label, expression.says, report)
    const fault = expressionFault(node.value)
    if (fault === undefined) return node.value
    report.error(node.at, 'wrong_value', `${label} ${fault}`)
    return undefined
  },
}

/** What is wrong with a pattern, to follow its name. */
export function expressionFault(pattern: string): string | undefined {
  if (pattern === '') return 'must not be empty'
  if (pattern.length > patternCharsMax) return `must have at most ${patternCharsMax} characters`
  const fault = compileFault(pattern)
  if (fault !== undefined) return unsupported(pattern) ?? `must be a regular expression (RE2): ${fault}`
  // An open `\Q` is fine alone, and swallows what is put around the pattern to match the whole string.
  return compileFault(anchored(pattern)) === undefined ? undefined : 'must close its `\\Q` with `\\E`'
}

/** Does the whole text match? Only for patterns without fault. */
export function wholeMatch(pattern: string, text: string): boolean {
  return RE2JS.compile(anchored(pattern)).matcher(text).find()
}

function anchored(pattern: string): string {
  return `^(?:${pattern})$`
}

function compileFault(pattern: string): string | undefined {
  try {
    RE2JS.compile(pattern)
    return undefined
  } catch (thrown) {
    const [, what = messageOf(thrown), where] = /parsing regexp: (.*?)(?:: `(.*)`)?$/s.exec(messageOf(thrown)) ?? []
    return where === undefined ? what : `${what} ${quote(where)}`
  }
}

/** What other engines have and RE2 has not, because it could take exponential time. */
const foreign: readonly (readonly [RegExp, string])[] = [
  [/\(\?<?[=!]/, 'lookaround'],
  [/\\[1-9]|\\k[<{']|\(\?P=/, 'a backreference'],
  [/\(\?>/, 'an atomic group'],
  [/[*+?}]\+/, 'a possessive quantifier'],
]

function unsupported(pattern: string): string | undefined {
  for (const [sign, name] of foreign) {
    const [part] = sign.exec(pattern) ?? []
    if (part) return `must be a regular expression (RE2), which has no ${name.replace(/^an? /, '')}, got ${quote(part)}`
  }
  return undefined
}
