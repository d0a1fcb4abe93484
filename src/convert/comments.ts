/** Comments of a source, and what of the converted text they stand beside: the nearest thing that is still said. */
import { CST, Lexer } from 'yaml'
import type { Item, MapOut, Out, Remarks } from './yaml.ts'

export interface Comment {
  readonly line: number
  readonly text: string
  /** It stands behind something on its line. */
  readonly behind: boolean
}

/** In the order of the text. */
export function commentsOf(source: string): readonly Comment[] {
  const comments: Comment[] = []
  let [line, bare, inScalar] = [1, true, false]
  for (const lexeme of new Lexer().lex(source)) {
    if (lexeme === CST.SCALAR) inScalar = true
    else if (lexeme !== CST.DOCUMENT && lexeme !== CST.FLOW_END && lexeme !== CST.BOM) {
      if (lexeme.startsWith('#') && !inScalar) comments.push({ line, text: lexeme.trimEnd(), behind: !bare })
      const breaks = lexeme.split('\n').length - 1
      line += breaks
      if (breaks > 0) bare = true
      if (lexeme.trim() !== '') bare = lexeme.endsWith('\n')
      inScalar = false
    }
  }
  return comments
}

export interface Placed {
  readonly remarksOf: (item: Item) => Remarks
  /** Those behind everything. */
  readonly end: readonly string[]
}

/** A comment on a line of its own goes before what follows it, with the blank lines around it; one behind something stays behind it. */
export function placeComments(source: string, root: MapOut): Placed {
  const items = [...itemsOf(root)].filter((item) => item.line !== undefined)
  const inOrder = items.toSorted((one, other) => lineOf(one) - lineOf(other))
  const before = new Map<Item, string[]>()
  const after = new Map<Item, string[]>()
  const end: string[] = []
  for (const { line, text, behind } of withBlanks(source)) {
    const next = firstFrom(inOrder, line)
    const last = behind ? inOrder[firstFrom(inOrder, line + 1) - 1] : undefined
    const place = last ?? inOrder[next]
    if (last?.line === line) add(after, last, text)
    else if (place) add(before, place, text)
    else end.push(text)
  }
  return { remarksOf: (item) => ({ before: before.get(item) ?? [], after: after.get(item) ?? [] }), end }
}

/** The index of the first item of this line or a later one: a file has as many comments as it has lines. */
function firstFrom(inOrder: readonly Item[], line: number): number {
  let [low, high] = [0, inOrder.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (lineOf(inOrder[middle] as Item) < line) low = middle + 1
    else high = middle
  }
  return low
}

/** Blank lines, as comments without a text. */
function withBlanks(source: string): readonly Comment[] {
  const lines = source.split('\n')
  const blanks = lines.flatMap((text, index) =>
    text.trim() === '' && index < lines.length - 1 ? [{ line: index + 1, text: '', behind: false }] : [],
  )
  return [...commentsOf(source), ...blanks].sort((one, other) => one.line - other.line)
}

function lineOf({ line }: Item): number {
  return line ?? 0
}

function add(map: Map<Item, string[]>, item: Item, text: string): void {
  const texts = map.get(item)
  if (!texts) map.set(item, [text])
  else if (text !== '' || texts.at(-1) !== '') texts.push(text)
}

function* itemsOf(out: Out): Generator<Item> {
  if (out.kind === 'word') return
  for (const item of out.kind === 'map' ? out.entries : out.items) {
    yield item
    yield* itemsOf(item.value)
  }
}
