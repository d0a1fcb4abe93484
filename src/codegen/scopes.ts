/**
 * Path patterns as rows of plain string tests, as a regular expression is compiled anew in every evaluation: it is left to
 * patterns that nothing simpler says, and asked only of paths that hold all of their literal parts.
 * `src/reference/paths.ts` says what the patterns mean.
 */
import type { Json } from '../model/canonical.ts'
import { lowerPath } from '../model/pack/paths.ts'
import { literalPattern } from './quote.ts'

/** What may be changed. All but `exact` is asked of the path behind a slash. */
export function allowedTable(patterns: readonly string[]): Json {
  const exact = patterns.filter((pattern) => !/[*?]/.test(pattern))
  const others = patterns.filter((pattern) => /[*?]/.test(pattern)).map(allowedRow)
  return { exact: Object.fromEntries(exact.map((path) => [path, true])), ...sorted(others) }
}

/** What must not be changed: asked of the path in lower case between two slashes. */
export function forbiddenTable(patterns: readonly string[]): Json {
  return sorted(patterns.map(forbiddenRow)) as Json
}

type Row =
  | { readonly kind: 'starts'; readonly text: string }
  | { readonly kind: 'ends'; readonly text: string }
  | { readonly kind: 'holds'; readonly text: string }
  /** As many slashes, and both ends, and at least so long. */
  | {
      readonly kind: 'shaped'
      readonly starts: string
      readonly ends: string
      readonly slashes: number
      readonly chars: number
    }
  | { readonly kind: 'regex'; readonly holds: readonly string[]; readonly pattern: string }

function sorted(rows: readonly Row[]) {
  const texts = (kind: 'starts' | 'ends' | 'holds') => rows.flatMap((row) => (row.kind === kind ? [row.text] : []))
  return {
    starts: texts('starts'),
    ends: texts('ends'),
    holds: texts('holds'),
    shaped: rows.flatMap((row) => (row.kind === 'shaped' ? [bare(row)] : [])),
    regex: rows.flatMap((row) => (row.kind === 'regex' ? [bare(row)] : [])),
  }
}

function bare({ kind: _, ...row }: Row): Json {
  return row as unknown as Json
}

function allowedRow(pattern: string): Row {
  if (pattern === '**') return { kind: 'starts', text: '/' }
  const folder = /^([^*?]+\/)\*\*$/.exec(pattern)?.[1]
  if (folder !== undefined) return { kind: 'starts', text: `/${folder}` }
  const name = /^\*\*\/([^*?]+)$/.exec(pattern)?.[1]
  if (name !== undefined) return { kind: 'ends', text: `/${name}` }
  const ending = /^\*\*\/\*([^*?/]+)$/.exec(pattern)?.[1]
  if (ending !== undefined) return { kind: 'ends', text: ending }
  const star = /^([^*?]*)\*([^*?]*)$/.exec(pattern)
  if (!star) return { kind: 'regex', holds: literals(pattern), pattern: allowedRegex(pattern) }
  const [, starts = '', ends = ''] = star
  const chars = 1 + [...starts].length + [...ends].length
  return { kind: 'shaped', starts: `/${starts}`, ends, slashes: pattern.split('/').length, chars }
}

function allowedRegex(pattern: string): string {
  const segments = pattern.split('/')
  const body = segments.map((segment, index) => {
    const last = index === segments.length - 1
    if (segment === '**') return last ? '.+' : '(?:.+/)?'
    return `${wild(segment, '[^/]*', '[^/]')}${last ? '' : '/'}`
  })
  return `(?s)\\A/${body.join('')}\\z`
}

function forbiddenRow(pattern: string): Row {
  // What forbids a folder forbids all below it, so a last `**` says nothing more; neither does a first one before a `*`.
  const lower = lowerPath(pattern)
    .replace(/(?:\/\*\*?)+$/, '')
    .replace(/^(?:\*\*\/)+(?=\*)/, '')
  const name = /^(?:\*\*\/)+([^*?]+)$/.exec(lower)?.[1]
  if (name !== undefined) return { kind: 'holds', text: `/${name}/` }
  if (!/[*?]/.test(lower)) return { kind: 'starts', text: `/${lower}/` }
  const within = /^\*+([^*?/][^*?]*|)(\*?)$/.exec(lower)
  if (within) return { kind: 'holds', text: `${within[1]}${within[2] === '*' ? '' : '/'}` }
  const beginning = /^([^*?]+)\*$/.exec(lower)?.[1]
  if (beginning !== undefined) return { kind: 'starts', text: `/${beginning}` }
  return { kind: 'regex', holds: literals(lower), pattern: forbiddenRegex(lower) }
}

function forbiddenRegex(pattern: string): string {
  const segments = pattern.split('/')
  const body = segments.map((segment, index) => {
    const last = index === segments.length - 1
    if (segment === '**') return last ? '.*' : '(?:.*/)?'
    return `${wild(segment, '.*', '.')}${last ? '' : '/'}`
  })
  return `(?s)\\A/${body.join('')}/`
}

function wild(segment: string, star: string, one: string): string {
  return [...segment].map((char) => (char === '*' ? star : char === '?' ? one : literalPattern(char))).join('')
}

/** What stands between wildcards; a slash beside `**` may be missing. */
function literals(pattern: string): readonly string[] {
  return pattern.split(/\/?\*\*\/?|[*?]/).filter((text) => text !== '')
}
