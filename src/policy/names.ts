/** Names of tools, prompts and resources, and what a key of a policy says about them. */
import { nameCharsMax, uriCharsMax } from '../model/limits.ts'
import type { Method, Pattern, TargetPattern } from '../model/policy.ts'
import { quote, type Report, type Spot } from './diagnostics.ts'

/** Reports a name that can name nothing. A name with a control character would break the dispatch of the policy engine. */
export function checkName(name: string, charsMax: number, at: Spot, report: Report): boolean {
  if (name === '') report.error(at, 'bad_name', 'a name must not be empty')
  else if (/\p{Cc}/u.test(name))
    report.error(at, 'bad_name', `a name must not have control characters, got ${quote(name)}`)
  else if (name.length > charsMax)
    report.error(at, 'bad_name', `a name has at most ${charsMax} characters, ${quote(name)} has ${name.length}`)
  else {
    if (/^\s|\s$|\p{Cf}/u.test(name))
      report.warning(at, 'bad_name', `${quote(name)} has a space at its end or a character that cannot be seen`)
    return true
  }
  return false
}

export interface Naming {
  /** Keys are names, letter for letter; `"*"` alone stands for all. */
  readonly exact: boolean
}

/** What an entry is about, from its key. Undefined, and reported, when the key can be no name. */
export function targetsOf(
  method: Method,
  key: string,
  at: Spot,
  report: Report,
  { exact }: Naming = { exact: false },
): readonly TargetPattern[] | undefined {
  if (exact && key !== '*') {
    const charsMax = method === 'resources/read' ? uriCharsMax : nameCharsMax
    return checkName(key, charsMax, at, report) ? [{ name: { kind: 'literal', text: key } }] : undefined
  }
  if (method !== 'tools/call') {
    const charsMax = method === 'resources/read' ? uriCharsMax : nameCharsMax
    return checkName(key, charsMax, at, report) && checkStars(key, key, at, report)
      ? [{ name: pattern(key) }]
      : undefined
  }
  return toolTargets(key, at, report)
}

/** `a/b` is the tool `b` of the server `a`, and a tool of any server whose own name is `a/b`. */
function toolTargets(key: string, at: Spot, report: Report): readonly TargetPattern[] | undefined {
  const slash = key.indexOf('/')
  if (slash === -1)
    return checkName(key, nameCharsMax, at, report) && checkStars(key, key, at, report)
      ? [{ name: pattern(key) }]
      : undefined
  const server = key.slice(0, slash)
  const tool = key.slice(slash + 1)
  if (server === '' || tool === '') {
    report.error(at, 'bad_name', `a server and a tool stand on the two sides of \`/\`, got ${quote(key)}`)
    return undefined
  }
  if (!checkName(server, nameCharsMax, at, report) || !checkName(tool, nameCharsMax, at, report)) return undefined
  if (anything.test(server) && !checkStars(tool, key, at, report)) return undefined
  return [{ ...(server !== '*' && { server: pattern(server) }), name: pattern(tool) }, { name: pattern(key) }]
}

/** Only wildcards, with a star among them. */
const anything = /^[*?]*\*[*?]*$/

/** `"*"` binds everything and lists nothing; a longer way to write it would list everything and undo `default: deny`. */
function checkStars(name: string, key: string, at: Spot, report: Report): boolean {
  if (key === '*' || !anything.test(name)) return true
  report.error(at, 'bad_name', `${quote(key)} would list everything: write \`"*"\`, or \`default: allow\``)
  return false
}

function pattern(text: string): Pattern {
  return { kind: /[*?]/.test(text) ? 'glob' : 'literal', text }
}
