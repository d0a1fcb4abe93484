/** One tool, resource or prompt as the lines of a policy: what the server says of it as a comment, and its entry. */
import { comment } from './comments.ts'
import type { Group, Prompt, Resource, Tool } from './definition.ts'
import { type Hidden, hiddenSentence } from './hidden.ts'
import { keyLines } from './keys.ts'
import { descriptionCharsMax, parameterCharsMax, valueCharsMax, valuesMax } from './limits.ts'
import type { Parameter, Parameters } from './parameters.ts'
import { suggestionsFor } from './suggestions.ts'
import { called, shortened } from './visible.ts'

/** What a group is called, why, and what its tools get. */
export interface GroupTerms {
  readonly title: string
  readonly about: string
  readonly risk: 'low' | 'medium' | 'high'
  readonly rule: string
  /** What the rule does, for a summary. */
  readonly outcome: string
}

export const groupTerms: Readonly<Record<Group, GroupTerms>> = {
  read: {
    title: 'Read-only',
    about: 'The server says that these change nothing (readOnlyHint). Allowed, up to a rate.',
    risk: 'low',
    rule: 'rate_limit: 60/minute',
    outcome: 'allowed, 60 calls a minute each',
  },
  write: {
    title: 'Changes, nothing destroyed',
    about: 'The server says that these add and never destroy (destructiveHint: false). Allowed, up to a lower rate.',
    risk: 'medium',
    rule: 'rate_limit: 30/minute',
    outcome: 'allowed, 30 calls a minute each',
  },
  destructive: {
    title: 'Destructive',
    about: 'These may overwrite or delete: the server says so, or does not say otherwise. A person approves each call.',
    risk: 'high',
    rule: 'action: require_approval',
    outcome: 'each call needs an approval',
  },
  unstated: {
    title: 'Without a word from the server',
    about:
      'The server says nothing of what these do (no hints): they are taken for destructive, and for reaching systems ' +
      'outside the server. A person approves each call.',
    risk: 'high',
    rule: 'action: require_approval',
    outcome: 'each call needs an approval',
  },
}

/** `times`: how often the server lists the name. */
export function toolLines(tool: Tool, key: string, times: number): readonly string[] {
  const { risk, rule } = groupTerms[tool.group]
  const suggestions = suggestionsFor(tool.parameters.first, tool.about).map((suggestion) => `    # - ${suggestion}`)
  return [
    ...described(tool.name, tool.about),
    ...parameterLines(tool.parameters),
    ...openWorldLines(tool),
    ...(times > 1 ? comment(`The server lists this name ${times} times; the most careful reading counts.`) : []),
    ...slashLines(tool.name, key),
    ...hiddenLines(tool.hidden),
    ...keyLines(key),
    `  risk_level: ${risk}`,
    '  rules:',
    `    - ${rule}`,
    ...suggestions,
  ]
}

/** The entry alone, where there is no room for what the server says. */
export function bareToolLines(tool: Tool, key: string): readonly string[] {
  const { risk, rule } = groupTerms[tool.group]
  return [...keyLines(key), `  risk_level: ${risk}`, '  rules:', `    - ${rule}`]
}

export function resourceLines({ uri, about, hidden }: Resource, key: string): readonly string[] {
  return [
    ...described(uri, about),
    ...(key.includes('?') ? comment('In a key `?` stands for any one character.') : []),
    ...hiddenLines(hidden),
    ...readingEntry(key),
  ]
}

export function promptLines({ name, about, parameters, hidden }: Prompt, key: string): readonly string[] {
  return [...described(name, about), ...parameterLines(parameters), ...hiddenLines(hidden), ...readingEntry(key)]
}

function readingEntry(key: string): readonly string[] {
  const [first = '', ...rest] = keyLines(key)
  const value = ` { risk_level: low, rules: [{ ${groupTerms.read.rule} }] }`
  return rest.length === 0 ? [`${first}${value}`] : [first, `${rest.join('')}${value}`]
}

function described(name: string, about: string): readonly string[] {
  const words = about.trim() === '' ? '(no description)' : shortened(about, descriptionCharsMax)
  return comment(`${shortened(name, descriptionCharsMax)}: ${words}`)
}

function parameterLines({ first, more }: Parameters): readonly string[] {
  const rest = more > 0 ? [`#   and ${more} more`] : []
  return [...first.flatMap(parameterLine), ...rest]
}

function parameterLine({ name, type, required, values, about }: Parameter): readonly string[] {
  const shown = values.slice(0, valuesMax).map((value) => shortened(value, valueCharsMax))
  if (values.length > valuesMax) shown.push(`${values.length - valuesMax} more`)
  const facts = [
    shortened(type, valueCharsMax),
    ...(required ? ['required'] : []),
    ...(shown.length > 0 ? [`one of ${shown.join(' | ')}`] : []),
  ]
  const words = about === '' ? '' : `. ${shortened(about, parameterCharsMax)}`
  return comment(`- ${shortened(name, valueCharsMax)}: ${facts.join(', ')}${words}`, { hang: '  ' })
}

/** Where there are no hints at all, the heading says it once for all. */
function openWorldLines({ openWorldHint, group }: Tool): readonly string[] {
  if (openWorldHint === false || group === 'unstated') return []
  const how = openWorldHint ? 'it says so' : 'it does not say otherwise'
  return comment(`Open world: it may reach systems outside the server (${how}).`)
}

/** The key of a tool whose own name has a slash, without the name of a server before it. */
function slashLines(name: string, key: string): readonly string[] {
  const slash = key.indexOf('/')
  if (slash === -1 || key !== name) return []
  const [server, tool] = [key.slice(0, slash), key.slice(slash + 1)]
  return comment(`On a server that policies call ${called(server)} this is also its tool ${called(tool)}.`)
}

function hiddenLines(hidden: readonly Hidden[]): readonly string[] {
  if (hidden.length === 0) return []
  const said = hidden.map(hiddenSentence).join('; ')
  return comment(`WARNING: text that is not seen stands in what the server says here: ${said}.`)
}
