/** `hidden`: tools that do not exist for the caller, whatever else the policy says of them. */
import { nameCharsMax } from '../../model/limits.ts'
import type { Entry, Rule } from '../../model/policy.ts'
import { quote, type Report } from '../diagnostics.ts'
import { type Form, type Located, listOf, mistake } from '../forms.ts'
import { type Naming, targetsOf } from '../names.ts'

const toolKey: Form<string> = {
  says: 'a key as in `tools`',
  schema: { type: 'string', minLength: 1, maxLength: 2 * nameCharsMax + 1 },
  read(node, label, report) {
    if (node.kind === 'scalar' && typeof node.value === 'string') return node.value
    const bare = node.kind === 'scalar' && node.text !== ''
    return mistake(node, label, toolKey.says, report, bare ? ': put it in quotes' : '')
  },
}

export const hiddenForm = listOf(toolKey, 'a list of tools', 0)

/** They come before everything else, also before `default: deny`. */
export function hiddenEntries(keys: readonly Located<string>[], naming: Naming, report: Report): readonly Entry[] {
  const entries = new Map<string, Entry>()
  for (const { value: key, at } of keys) {
    const match = targetsOf('tools/call', key, at, report, naming)
    const place = { file: report.file, line: at.line, col: at.col }
    const first = entries.get(key)
    if (first) report.error(at, 'duplicate_key', `${quote(key)} is hidden twice, first on line ${first.place.line}`)
    if (first || !match) continue
    const rule: Rule = { name: '(hidden)', effect: 'deny', conditions: [], hides: true, limits: [], place }
    const entry: Entry = { method: 'tools/call', key, match, lists: true, rules: [rule], place }
    report.locate(entry, at)
    entries.set(key, entry)
  }
  return [...entries.values()]
}
