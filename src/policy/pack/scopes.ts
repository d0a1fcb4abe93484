/** Path patterns of a change scope, and the four members that make one. */
import { pathCharsMax, starsMax } from '../../model/pack/limits.ts'
import { type Form, listOf, mistake, record } from '../forms.ts'
import { wholeNumber } from '../scalars.ts'

const says = 'a path like `src/**`, `**/*.key` or `package.json`, from the root of the repository'

const scopePattern: Form<string> = {
  says,
  schema: { type: 'string', minLength: 1, maxLength: pathCharsMax },
  read(node, name, report) {
    if (node.kind !== 'scalar' || typeof node.value !== 'string') return mistake(node, name, says, report)
    const fault = patternFault(node.value)
    return fault === undefined ? node.value : mistake(node, name, says, report, `: ${fault}`)
  },
}

function patternFault(pattern: string): string | undefined {
  const segments = pattern.split('/')
  if (pattern === '') return 'it is empty'
  if (pattern.length > pathCharsMax) return `it has more than ${pathCharsMax} characters`
  if (pattern.startsWith('/')) return 'it must not begin with a slash'
  if (/[\p{Cc}\\:]/u.test(pattern)) return 'no path that is judged has a backslash, a colon or a control character'
  if (/[[\]{}!]/.test(pattern)) return 'only `*`, `**` and `?` are wildcards'
  if (segments.some((segment) => segment === '')) return 'it has an empty segment'
  if (segments.some((segment) => /^[. ]+$/.test(segment))) return 'it has a segment of dots'
  if (segments.some((segment) => segment.includes('**') && segment !== '**')) return '`**` stands alone between slashes'
  if ((pattern.match(/\*+/g) ?? []).length > starsMax) return `it has more than ${starsMax} stars`
  return undefined
}

const patterns = (itemsMin: number) => listOf(scopePattern, 'a list of paths', itemsMin)

const changeScopeKeys = {
  allowed_paths: { form: patterns(1), about: 'What may be changed.', required: 'say what may be changed' },
  forbidden_paths: {
    form: patterns(0),
    about: 'What must not be changed, though it may be allowed above.',
    required: 'say what must not be changed, `[]` for nothing',
  },
  max_changed_files: {
    form: wholeNumber(1, 10_000),
    about: 'How many files one change may touch.',
    required: 'say how many files one change may touch',
  },
  max_diff_lines: {
    form: wholeNumber(1),
    about: 'How many lines one change may have.',
    required: 'say how many lines one change may have',
  },
} as const

export const changeScope = record('a change scope', changeScopeKeys)
