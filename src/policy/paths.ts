/** Paths to arguments as policies write them: dots descend, a backslash takes the meaning from a dot or a backslash. */
import type { Path } from '../model/policy.ts'
import { quote, type Report, type Spot } from './diagnostics.ts'
import { type Form, mistake } from './forms.ts'

const says = 'a path like `amount` or `transfer.amount`'

export const path: Form<Path> = {
  says,
  schema: { type: 'string', minLength: 1 },
  read(node, label, report) {
    if (node.kind !== 'scalar' || typeof node.value !== 'string') return mistake(node, label, says, report)
    return readPath(node.value, node.at, report)
  },
}

export function readPath(text: string, at: Spot, report: Report): Path | undefined {
  const keys = splitPath(text)
  if (keys === undefined)
    report.error(at, 'wrong_value', `a backslash in a path stands before a dot or a backslash, got ${quote(text)}`)
  else if (text === '') report.error(at, 'wrong_value', 'a path must name an argument, got nothing')
  else if (keys.includes(''))
    report.error(
      at,
      'wrong_value',
      `a dot in a path stands between two names (a dot in a name is \`\\.\`), got ${quote(text)}`,
    )
  else if (/\p{Cc}/u.test(text))
    report.error(at, 'bad_name', `a path must not have control characters, got ${quote(text)}`)
  else {
    reportForeign(text, at, report)
    return keys
  }
  return undefined
}

/** What other languages write for a place in a document: here it would be part of a name. */
function reportForeign(text: string, at: Spot, report: Report): void {
  const [element] = /\[(?:[0-9]+|\*)\]/.exec(text) ?? []
  if (element)
    report.warning(
      at,
      'foreign_path',
      `${quote(text)} names an argument with ${quote(element)} in its name: for elements of an array write \`each\` or \`any\``,
    )
  else if (/^\$\../.test(text))
    report.warning(
      at,
      'foreign_path',
      `${quote(text)} looks for an argument called \`$\`: paths begin at the arguments, did you mean ${quote(text.slice(2))}?`,
    )
}

function splitPath(text: string): string[] | undefined {
  const keys = ['']
  for (const [part] of text.matchAll(/\\.?|\.|[^\\.]+/gsu)) {
    if (part === '.') keys.push('')
    else if (part.startsWith('\\') && part !== '\\.' && part !== '\\\\') return undefined
    else keys[keys.length - 1] += part.startsWith('\\') ? part.slice(1) : part
  }
  return keys
}
