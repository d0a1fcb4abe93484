/**
 * A pattern of Python's as RE2, exactly: once for texts in ASCII, and once for all others, where `\w`, `\d`, `\s` and `\b`
 * know every script. A search asks only whether there is a match, so what stands around a match may become part of it.
 */
import { messageOf } from '../../model/errors.ts'
import type { TextPattern } from '../../model/ordered.ts'
import { readExpression } from '../expressions.ts'
import { patternCharsMax, translatedCharsMax } from '../limits.ts'
import { edgeOf } from './edges.ts'
import { setText, wordSet } from './sets.ts'
import { foreign, PatternFault, parsePattern, type Tree } from './syntax.ts'

/** The pattern, and about what it costs; or what is wrong with it, to follow its name. */
export function translate(
  written: string,
): { readonly pattern: TextPattern; readonly cost: number } | { readonly fault: string } {
  if ([...written].length > patternCharsMax) return { fault: `must have at most ${patternCharsMax} characters` }
  try {
    const tree = parsePattern(written)
    const ascii = emitted(tree, false)
    const read = readExpression(ascii, translatedCharsMax)
    if ('fault' in read) return read
    const wide = wideText(tree)
    return { pattern: { written, ascii, ...(wide !== undefined && { wide }) }, cost: read.cost }
  } catch (thrown) {
    if (thrown instanceof PatternFault) return { fault: messageOf(thrown) }
    throw thrown
  }
}

/** Undefined when RE2 cannot say it, or not within reason. */
function wideText(tree: Tree): string | undefined {
  try {
    const text = emitted(tree, true)
    return 'fault' in readExpression(text, translatedCharsMax) ? undefined : text
  } catch (thrown) {
    if (thrown instanceof NoWord) return undefined
    throw thrown
  }
}

/** There is no word for a boundary of words in all scripts at this place. */
class NoWord extends Error {}

/** What is around a part: is nothing before it, or behind it, that has to match? */
interface Around {
  readonly wide: boolean
  readonly start: boolean
  readonly end: boolean
}

function emitted(tree: Tree, wide: boolean): string {
  return emit(tree, { wide, start: true, end: true }) || '(?:)'
}

function emit(tree: Tree, around: Around): string {
  switch (tree.kind) {
    case 'char':
      return setText(
        { negated: false, items: [{ kind: 'range', from: tree.code, to: tree.code }], flags: tree.flags },
        around.wide,
      )
    case 'any':
      return tree.flags.s ? '(?s:.)' : '[^\\n]'
    case 'set':
      return setText(tree, around.wide)
    case 'seq':
      return tree.items.map((_, index) => emitItem(tree.items, index, around)).join('')
    case 'choice':
      return `(?:${tree.of.map((one) => emit(one, around)).join('|')})`
    case 'repeat':
      return `(?:${emit(tree.of, { ...around, start: false, end: false })})${bounds(tree.min, tree.max)}`
    case 'assert':
      throw new TypeError('an assertion stands in a sequence')
  }
  return tree satisfies never
}

function emitItem(items: readonly Tree[], index: number, around: Around): string {
  const item = items[index] as Tree
  const here = { ...around, start: around.start && index === 0, end: around.end && index === items.length - 1 }
  return item.kind === 'assert' ? emitAssert(item, items, index, here) : emit(item, here)
}

function emitAssert(item: Tree & { kind: 'assert' }, items: readonly Tree[], index: number, around: Around): string {
  const { at, flags } = item
  switch (at) {
    case '^':
      return flags.m ? '(?m:^)' : '\\A'
    case 'A':
      return '\\A'
    case 'Z':
      return '\\z'
    case '$':
      if (flags.m) return '(?m:$)'
      if (!around.end) throw foreign('a `$` that is not at its end')
      return '(?:\\n?\\z)'
    case 'b':
      return around.wide && !flags.a ? wideBoundary(items, index, around) : '\\b'
  }
  return at satisfies never
}

const nothing = '[^\\x00-\\x{10FFFF}]'

/** RE2's own `\b` knows letters of ASCII alone. */
function wideBoundary(items: readonly Tree[], index: number, { start, end }: Around): string {
  const before = edgeOf(items.slice(0, index), 'last')
  const after = edgeOf(items.slice(index + 1), 'first')
  if (start && after !== undefined) return after === 'word' ? `(?:\\A|[^${wordSet}])` : `[${wordSet}]`
  if (end && before !== undefined) return before === 'word' ? `(?:\\z|[^${wordSet}])` : `[${wordSet}]`
  if (before === undefined || after === undefined) throw new NoWord()
  return before === after ? nothing : ''
}

function bounds(min: number, max: number | undefined): string {
  if (max === undefined) return min === 0 ? '*' : min === 1 ? '+' : `{${min},}`
  return min === 0 && max === 1 ? '?' : `{${min},${max}}`
}
