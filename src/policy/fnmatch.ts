/** A glob with sets, as Python's fnmatch reads it: of the languages of ordered rules. */
import { globParts } from '../model/fnmatch.ts'
import { nameCharsMax } from '../model/limits.ts'
import { quote } from './diagnostics.ts'
import { type Form, mistake } from './forms.ts'
import { checkName } from './names.ts'

export const fnmatch: Form<string> = {
  says: 'a glob as text',
  schema: { type: 'string', minLength: 1, maxLength: nameCharsMax },
  read(node, label, report) {
    if (node.kind !== 'scalar' || typeof node.value !== 'string') {
      const bare = node.kind === 'scalar' && node.text !== ''
      return mistake(node, label, fnmatch.says, report, bare ? ': put it in quotes' : '')
    }
    if (!checkName(node.value, nameCharsMax, node.at, report)) return undefined
    if (globParts(node.value).some((part) => part.kind === 'set' && !part.negated && part.ranges.length === 0))
      report.warning(
        node.at,
        'never_matches',
        `${label}: ${quote(node.value)} has a set that is empty, and matches nothing`,
      )
    return node.value
  },
}
