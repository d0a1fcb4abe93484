/** What a server lists: names, definitions, or the lists that `tollgate scan --json` wrote into a file. */
import type { Json } from '../../model/canonical.ts'
import { messageOf } from '../../model/errors.ts'
import { isObject, readJson } from '../../model/message/json.ts'
import { quote, type Spot } from '../../policy/diagnostics.ts'
import type { Located } from '../../policy/forms.ts'
import type { ListStep } from '../suite.ts'
import type { CaseContext } from './shared.ts'
import type { JsonMap } from './words.ts'

export type Items = Pick<ListStep, 'items' | 'names'>

const nouns = { tools: 'name', prompts: 'name', resources: 'uri' } as const

/** A text that ends as a file of JSON does is one. */
export const isListsFile = (text: string) => text.endsWith('.json')

export function itemsOf(
  list: ListStep['list'],
  of: readonly Located<{ readonly value: Json }>[],
  context: CaseContext,
): Items {
  const noun = nouns[list]
  const found = of.flatMap(({ value: { value }, at }): readonly JsonMap[] => {
    if (typeof value === 'string') return isListsFile(value) ? listsIn(value, at, list, context) : [{ [noun]: value }]
    if (isObject(value) && typeof value[noun] === 'string') return [value as JsonMap]
    context.report.error(at, 'wrong_value', `what a server lists is a name, or a definition with a \`${noun}\``)
    return []
  })
  return { items: found, names: found.map((item) => item[noun] as string) }
}

/** The items of a list in a file. */
export function listsIn(file: string, at: Spot, list: ListStep['list'], context: CaseContext): readonly JsonMap[] {
  const fault = (why: string) => {
    context.report.error(at, 'unreadable', `${quote(file)} cannot be read: ${why}`)
    return []
  }
  try {
    const read = readJson(context.beside(file))
    if (!read.ok) return fault(read.message)
    const items = isObject(read.value) ? read.value[list] : read.value
    if (!Array.isArray(items)) return fault(`it has no list \`${list}\`, as \`tollgate scan --json\` writes it`)
    return items.filter((item: Json) => isObject(item) && typeof item[nouns[list]] === 'string') as JsonMap[]
  } catch (error) {
    return fault(messageOf(error))
  }
}
