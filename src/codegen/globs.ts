/** Python's globs as Rego: pieces of the text where they can say it; a regular expression only where they cannot. */
import { codeOf, type GlobPart, globParts } from '../model/fnmatch.ts'
import { literalPattern, term } from './quote.ts'

type Fixed = Exclude<GlobPart, { kind: 'run' }>

/** Characters of a set that are written out. */
const spelledMax = 64

/** Expressions that together say: the text at `subject` matches. None: everything does. Undefined: nothing does. */
export function globBody(glob: string, subject: string): readonly string[] | undefined {
  const parts = globParts(glob)
  if (parts.some(isEmpty)) return undefined
  const pieces = piecesOf(parts)
  const [head = [], ...rest] = pieces
  const tail = rest.pop()
  const least = pieces.reduce((sum, piece) => sum + piece.length, 0)
  if (tail === undefined) return exactly(head, subject) ?? [expression(parts, subject)]
  const middle = inside(rest, head.length, tail.length, subject)
  const ends = [at(head, subject, 'start'), at(tail, subject, 'end')]
  if (middle === undefined || ends.includes(undefined)) return [expression(parts, subject)]
  const bounds = needsCount(pieces) ? [`count(${subject}) >= ${least}`] : []
  return [...bounds, ...ends.flatMap((lines) => lines ?? []), ...middle]
}

/** What stands between the runs, of the first and the last also nothing. */
function piecesOf(parts: readonly GlobPart[]): readonly (readonly Fixed[])[] {
  const pieces: Fixed[][] = [[]]
  for (const part of parts) {
    if (part.kind === 'run') pieces.push([])
    else pieces.at(-1)?.push(part)
  }
  return pieces
}

function isEmpty(part: GlobPart): boolean {
  return part.kind === 'set' && !part.negated && part.ranges.length === 0
}

/** One end alone says how long the text is at least, when it is plain. */
function needsCount(pieces: readonly (readonly Fixed[])[]): boolean {
  const filled = pieces.filter((piece) => piece.length > 0)
  return filled.length > 1 || filled.some((piece) => textOf(piece) === undefined)
}

function exactly(piece: readonly Fixed[], subject: string): readonly string[] | undefined {
  const text = textOf(piece)
  if (text !== undefined) return [`${subject} == ${term(text)}`]
  const lines = at(piece, subject, 'start')
  return lines && [`count(${subject}) == ${piece.length}`, ...lines]
}

/** A single plain piece between the ends is looked for there; more of them are more than a line can say. */
function inside(
  pieces: readonly (readonly Fixed[])[],
  before: number,
  after: number,
  subject: string,
): readonly string[] | undefined {
  const [piece, ...more] = pieces
  if (piece === undefined) return []
  const text = textOf(piece)
  if (text === undefined || more.length > 0) return undefined
  const length = after === 0 ? '-1' : `count(${subject}) - ${before + after}`
  const between = before + after === 0 ? subject : `substring(${subject}, ${before}, ${length})`
  return [`contains(${between}, ${term(text)})`]
}

/** The piece stands at the start, or at the end, of a text that is long enough. */
function at(piece: readonly Fixed[], subject: string, end: 'start' | 'end'): readonly string[] | undefined {
  if (piece.length === 0) return []
  const text = textOf(piece)
  if (text !== undefined) return [`${end === 'start' ? 'startswith' : 'endswith'}(${subject}, ${term(text)})`]
  const lines: string[] = []
  for (const [index, part] of piece.entries()) {
    if (part.kind === 'any') continue
    const place = end === 'start' ? index : `count(${subject}) - ${piece.length - index}`
    const char = `substring(${subject}, ${place}, 1)`
    const spelled = part.kind === 'char' ? [part.char] : spelledOut(part)
    if (spelled === undefined) return undefined
    const list = spelled.map((one) => term(one))
    if (part.kind === 'set' && part.negated) lines.push(`not ${char} in {${list.join(', ')}}`)
    else lines.push(list.length === 1 ? `${char} == ${list[0]}` : `${char} in {${list.join(', ')}}`)
  }
  return lines
}

/** The characters of a set; undefined when they are too many, or none, which Rego has no word for. */
function spelledOut({ ranges }: GlobPart & { kind: 'set' }): readonly string[] | undefined {
  const sizes = ranges.map(([from, to]) => codeOf(to) - codeOf(from) + 1)
  const size = sizes.reduce((sum, one) => sum + one, 0)
  if (size > spelledMax || size === 0) return undefined
  return ranges.flatMap(([from], index) =>
    Array.from({ length: sizes[index] as number }, (_, step) => String.fromCodePoint(codeOf(from) + step)),
  )
}

function textOf(piece: readonly Fixed[]): string | undefined {
  return piece.every((part) => part.kind === 'char') ? piece.map(({ char }) => char).join('') : undefined
}

function expression(parts: readonly GlobPart[], subject: string): string {
  return `regex.match(${term(`(?s)\\A${parts.map(partPattern).join('')}\\z`)}, ${subject})`
}

function partPattern(part: GlobPart): string {
  switch (part.kind) {
    case 'run':
      return '.*'
    case 'any':
      return '.'
    case 'char':
      return literalPattern(part.char)
    case 'set': {
      if (part.ranges.length === 0) return '.'
      const ranges = part.ranges.map(([from, to]) => `${literalPattern(from)}-${literalPattern(to)}`)
      return `[${part.negated ? '^' : ''}${ranges.join('')}]`
    }
  }
  return part satisfies never
}
