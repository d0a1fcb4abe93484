/** Rules that a tool seems to call for, by the names of its parameters. They stand in a policy as comments: a person decides. */
import { pathText } from '../model/policy.ts'
import { scalar } from './keys.ts'
import type { Parameter } from './parameters.ts'
import { hasUnseen } from './visible.ts'

/** More of them would hide the rules that count. */
const suggestionsMax = 4

/** Items of a rule list, each on one line. `about` is what the tool says of itself. */
export function suggestionsFor(parameters: readonly Parameter[], about: string): readonly string[] {
  const moves = /\b(?:files?|director(?:y|ies)|folders?|paths?)\b/i.test(about)
  return parameters
    .filter(({ name }) => name !== '' && !hasUnseen(name))
    .flatMap((parameter) => suggestionFor(parameter, moves) ?? [])
    .slice(0, suggestionsMax)
}

/** `moves`: the tool speaks of files, so that its source and its destination are paths. */
function suggestionFor(parameter: Parameter, moves: boolean): string | undefined {
  const words = wordsOf(parameter.name)
  const path = scalar(pathText([parameter.name]))
  const optional = parameter.required ? '' : ', required: false'
  if (isNumber(parameter.type) && words.some((word) => amountWords.has(word)))
    return `spend: { amount: ${path}, per_call: 100, daily: 1000 }`
  if (parameter.values.length > 0 || !namesPath(words, moves)) return undefined
  if (parameter.type === 'string') return `arguments: { ${path}: { ${insideFolder}${optional} } }`
  if (parameter.type === 'array of string') return `arguments: { ${path}: { each: { ${insideFolder} }${optional} } }`
  return undefined
}

/** The last word says what it is: a `file_path` and a `file_name` are paths, a `file_id` and a `path_type` are not. */
function namesPath(words: readonly string[], moves: boolean): boolean {
  const last = words.at(-1) ?? ''
  const before = words.at(-2) ?? ''
  return pathWords.has(last) || (moves && endWords.has(last)) || (/^names?$/.test(last) && pathWords.has(before))
}

/** The pattern has no two dots in a row: nothing climbs out of the folder. */
const insideFolder = String.raw`prefix: /workspace/, pattern: '(\.?[^.])*\.?'`

const amountWords = new Set(['amount', 'price', 'cost', 'fee', 'payment'])
const pathWords = new Set([
  'path',
  'paths',
  'file',
  'files',
  'filename',
  'filepath',
  'dir',
  'directory',
  'dirs',
  'directories',
  'folder',
  'folders',
  'filenames',
  'filepaths',
  'cwd',
])
const endWords = new Set(['source', 'destination', 'src', 'dest'])

function isNumber(type: string): boolean {
  return type === 'number' || type === 'integer'
}

/** `unitPrice` and `unit_price` are `unit` and `price`. */
function wordsOf(name: string): readonly string[] {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
}
