/**
 * Regular expressions: RE2, matched against the whole string. re2js checks them here, OPA's runtime matches them with an
 * older RE2 of its own; what is accepted must mean the same to both, and compile there within reason.
 */
import { RE2JS } from 're2js'
import { messageOf } from '../model/errors.ts'
import { quote } from './diagnostics.ts'
import { type Form, mistake } from './forms.ts'
import { patternCharsMax, patternCostMax, patternCostNoted } from './limits.ts'
import { unicodeClasses } from './unicode.ts'

export const expression: Form<string> = {
  says: 'a regular expression (RE2)',
  schema: { type: 'string', minLength: 1, maxLength: patternCharsMax },
  read(node, label, report) {
    if (node.kind !== 'scalar' || typeof node.value !== 'string') return mistake(node, label, expression.says, report)
    const read = readExpression(node.value)
    if ('fault' in read) {
      report.error(node.at, 'wrong_value', `${label} ${read.fault}`)
      return undefined
    }
    if (read.cost > patternCostNoted)
      report.warning(node.at, 'expensive', `${label} takes milliseconds to compile, on every call: ${cheaper}`)
    return node.value
  },
}

const cheaper = 'repeat with `*` or `+` and bound the text with `length`'

/** About what a pattern costs, or what is wrong with it, to follow its name. */
export function readExpression(
  pattern: string,
  charsMax = patternCharsMax,
): { readonly cost: number } | { readonly fault: string } {
  if (pattern === '') return { fault: 'must not be empty' }
  if (pattern.length > charsMax) return { fault: `must have at most ${charsMax} characters` }
  const compiled = compile(pattern)
  if (typeof compiled === 'string')
    return { fault: `must be a regular expression (RE2)${foreignFault(pattern) ?? `: ${compiled}`}` }
  // An open `\Q` is fine alone, and swallows what is put around the pattern to match the whole string.
  if (typeof compile(anchored(pattern)) === 'string') return { fault: 'must close its `\\Q` with `\\E`' }
  const fault = engineFault(pattern, compiled)
  if (fault !== undefined) return { fault }
  const cost = costOf(pattern, compiled)
  return cost > patternCostMax ? { fault: `is too large once its repetitions are written out: ${cheaper}` } : { cost }
}

/** Does the whole text match? Only for patterns without fault. */
export function wholeMatch(pattern: string, text: string): boolean {
  return RE2JS.compile(anchored(pattern)).matcher(text).find()
}

/** As the generated Rego writes it. */
function anchored(pattern: string): string {
  return `\\A(?:${pattern})\\z`
}

/** The compiled pattern, or why there is none. */
function compile(pattern: string): RE2JS | string {
  try {
    return RE2JS.compile(pattern)
  } catch (thrown) {
    const [, what = messageOf(thrown), where] = /parsing regexp: (.*?)(?:: `(.*)`)?$/s.exec(messageOf(thrown)) ?? []
    return where === undefined ? what : `${what} ${quote(where)}`
  }
}

/** What other engines have and RE2 has not, because it could take exponential time. */
const foreign: readonly (readonly [RegExp, string])[] = [
  [/\(\?<?[=!]/, 'lookaround'],
  [/\\[1-9]|\\k[<{']|\(\?P=/, 'backreferences'],
  [/\(\?>/, 'atomic groups'],
  [/[*+?}]\+/, 'possessive quantifiers'],
]

function foreignFault(pattern: string): string | undefined {
  for (const [sign, name] of foreign) {
    const [part] = sign.exec(pattern) ?? []
    if (part) return `, which has no ${name}, got ${quote(part)}`
  }
  return undefined
}

/** What re2js takes and the runtime does not: there the match would be undefined, and every call refused. */
function engineFault(pattern: string, compiled: RE2JS): string | undefined {
  const [named] = /\(\?<\w+>/.exec(pattern) ?? []
  if (named && Object.keys(compiled.namedGroups()).length > 0)
    return `names a group as ${quote(named)}: write ${quote(named.replace('?<', '?P<'))}, or a group without a name`
  for (const name of classesOf(pattern))
    if (!unicodeClasses.has(name))
      return `names the Unicode class ${quote(name)}, which the policy engine does not know`
  return undefined
}

/** The names in `\p{Greek}`, `\P{^Lu}`, `\pL`. */
function classesOf(pattern: string): string[] {
  const escapes = pattern.matchAll(/\\(?:[pP](?:\{\^?([^}]*)\}|(.))|.)/gsu)
  return [...escapes].flatMap(([, long, short]) => long ?? short ?? [])
}

/**
 * About how many ranges of characters the compiled pattern has. A Unicode class has up to a thousand, and the runtime
 * takes about a microsecond for each.
 */
function costOf(pattern: string, compiled: RE2JS): number {
  const listed = Math.max(0, ...[...pattern.matchAll(/\[(?:\\.|[^\]\\])*\]/gsu)].map(([list]) => list.length))
  const ranges = 1 + listed + (classesOf(pattern).length > 0 ? 1_000 : 0)
  return compiled.programSize() * ranges
}
