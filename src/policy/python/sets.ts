/** Characters and sets of Python's patterns as sets of RE2: what each class means, and which letters are one in any case. */
import { type ClassLetter, type Flags, foreign, type SetItem } from './syntax.ts'

export interface WrittenSet {
  readonly negated: boolean
  readonly items: readonly SetItem[]
  readonly flags: Flags
}

/** What Python calls a word: letters and numbers of every script, and the underscore. */
export const wordSet = '\\p{L}\\p{N}_'

/** Inside a set, for every script; `\W` has no such form. */
const wideClasses: Readonly<Record<Exclude<ClassLetter, 'W'>, string>> = {
  d: '\\p{Nd}',
  D: '\\P{Nd}',
  w: wordSet,
  s: '\\t-\\r\\x1c-\\x20\\x85\\xa0\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}',
  S: '\\x00-\\x08\\x0e-\\x1b\\x21-\\x84\\x86-\\x9f\\xa1-\\x{167f}\\x{1681}-\\x{1fff}\\x{200b}-\\x{2027}\\x{202a}-\\x{202e}\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}\\x{3001}-\\x{10ffff}',
}

/** For texts in ASCII; the separators `\x1c` to `\x1f` are space to Python. */
const asciiClasses: Readonly<Record<ClassLetter, string>> = {
  d: '0-9',
  D: '\\x00-/:-\\x{10ffff}',
  w: '0-9A-Z_a-z',
  W: '\\x00-/:-@\\[-\\^`\\{-\\x{10ffff}',
  s: '\\t-\\r\\x1c-\\x20',
  S: '\\x00-\\x08\\x0e-\\x1b\\x21-\\x{10ffff}',
}

/** With the flag `a`, whatever the text is. */
const plainClasses: Readonly<Record<ClassLetter, string>> = {
  ...asciiClasses,
  s: '\\t-\\r\\x20',
  S: '\\x00-\\x08\\x0e-\\x1f\\x21-\\x{10ffff}',
}

export function setText({ negated, items, flags }: WrittenSet, wide: boolean): string {
  const alone = items.length === 1 && items[0]?.kind === 'range' && items[0].from === items[0].to
  const extras = wide && !flags.a && (!negated || alone)
  if (flags.i && negated && items.some((item) => item.kind === 'range' && item.to > 127))
    throw foreign('a negated set with letters outside ASCII under the flag `i`')
  return withNonWords(negated, items, flags, wide, extras)
}

/** `\W` for every script can be no part of a set in RE2: it stands beside it. */
function withNonWords(
  negated: boolean,
  items: readonly SetItem[],
  flags: Flags,
  wide: boolean,
  extras: boolean,
): string {
  const apart = wide && !flags.a ? items.filter((item) => item.kind === 'class' && item.letter === 'W') : []
  const rest = items.filter((item) => !apart.includes(item)).map((item) => itemText(item, flags, wide, extras))
  if (apart.length === 0) return setOf(negated, rest)
  if (!negated) return rest.length === 0 ? `[^${wordSet}]` : `(?:[^${wordSet}]|${setOf(false, rest)})`
  if (rest.length === 0) return `[${wordSet}]`
  // What is a word and is not in the rest: RE2 has no difference of sets but this one.
  const underscore = (item: SetItem) => item.kind === 'range' && item.from === 95 && item.to === 95
  if (items.every((item) => apart.includes(item) || underscore(item))) return '[\\p{L}\\p{N}]'
  throw foreign('`\\W` beside others in a negated set')
}

function setOf(negated: boolean, texts: readonly string[]): string {
  const text = texts.join('')
  const plain = !negated && texts.length === 1 && /^(?:\\[^dDwWsSpPxX]|[^\\-])$/u.test(text)
  return plain ? text : `[${negated ? '^' : ''}${text}]`
}

function itemText(item: SetItem, flags: Flags, wide: boolean, extras: boolean): string {
  if (item.kind === 'class') {
    if (flags.a) return plainClasses[item.letter]
    return wide ? wideClasses[item.letter as Exclude<ClassLetter, 'W'>] : asciiClasses[item.letter]
  }
  const text = rangeText(item.from, item.to)
  return flags.i ? `${text}${otherCases(item.from, item.to)}${extras ? oddCases(item.from, item.to) : ''}` : text
}

/** The letters of the range in their other case. */
function otherCases(from: number, to: number): string {
  if (from > 127) return caseVariants(from, to)
  const upper = overlap(from, to, 65, 90)
  const lower = overlap(from, to, 97, 122)
  const beyond = to > 127 ? caseVariants(128, to) : ''
  return `${upper ? rangeText(upper[0] + 32, upper[1] + 32) : ''}${lower ? rangeText(lower[0] - 32, lower[1] - 32) : ''}${beyond}`
}

/** Outside ASCII: one by one, of ranges that are not too long to be written out. */
function caseVariants(from: number, to: number): string {
  if (to - from > 256) throw foreign('a long range outside ASCII under the flag `i`')
  let text = ''
  for (let code = from; code <= to; code++) {
    const char = String.fromCodePoint(code)
    for (const other of new Set([char.toLowerCase(), char.toUpperCase()]))
      if (other !== char && [...other].length === 1) text += charText(other.codePointAt(0) as number)
  }
  return text
}

/** Letters outside ASCII that are i, k or s in another case. */
function oddCases(from: number, to: number): string {
  const has = (...codes: readonly number[]) => codes.some((code) => from <= code && code <= to)
  return `${has(73, 105) ? '\\x{130}\\x{131}' : ''}${has(75, 107) ? '\\x{212a}' : ''}${has(83, 115) ? '\\x{17f}' : ''}`
}

function overlap(from: number, to: number, low: number, high: number): readonly [number, number] | undefined {
  const [first, last] = [Math.max(from, low), Math.min(to, high)]
  return first <= last ? [first, last] : undefined
}

function rangeText(from: number, to: number): string {
  return from === to ? charText(from) : `${charText(from)}-${charText(to)}`
}

function charText(code: number): string {
  const char = String.fromCodePoint(code)
  if (/[0-9A-Za-z]/.test(char)) return char
  if (code > 32 && code < 127) return `\\${char}`
  return code > 127 && /[\p{L}\p{N}]/u.test(char) ? char : `\\x{${code.toString(16)}}`
}
