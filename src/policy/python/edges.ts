/** Is the character at which a sequence begins, or ends, part of a word? Undefined where that depends on the text. */
import type { SetItem, Tree } from './syntax.ts'

export type Edge = 'word' | 'other' | undefined

export function edgeOf(items: readonly Tree[], side: 'first' | 'last'): Edge {
  const ordered = side === 'first' ? items : items.toReversed()
  const edges: Edge[] = []
  for (const item of ordered) {
    edges.push(edgeOfOne(item, side))
    if (!mayBeEmpty(item)) return same(edges)
  }
  return undefined
}

function edgeOfOne(tree: Tree, side: 'first' | 'last'): Edge {
  switch (tree.kind) {
    case 'char':
      return isWord(tree.code) ? 'word' : 'other'
    case 'any':
      return undefined
    case 'set':
      return tree.negated ? undefined : same(tree.items.map(edgeOfItem))
    case 'seq':
      return edgeOf(tree.items, side)
    case 'choice':
      return same(tree.of.map((one) => edgeOfOne(one, side)))
    case 'repeat':
      return edgeOfOne(tree.of, side)
    case 'assert':
      // The start or the end of the text or of a line, and behind it nothing or a line break.
      return tree.at === 'b' ? undefined : 'other'
  }
  return tree satisfies never
}

function edgeOfItem(item: SetItem): Edge {
  if (item.kind === 'range') return rangeEdge(item.from, item.to)
  return { d: 'word', w: 'word', s: 'other', W: 'other', D: undefined, S: undefined }[item.letter] as Edge
}

/** Ranges beyond a few hundred characters are not looked through. */
function rangeEdge(from: number, to: number): Edge {
  if (to - from > 512) return undefined
  return same(Array.from({ length: to - from + 1 }, (_, step) => (isWord(from + step) ? 'word' : 'other')))
}

function same(edges: readonly Edge[]): Edge {
  return edges.every((edge) => edge === edges[0]) ? edges[0] : undefined
}

function mayBeEmpty(tree: Tree): boolean {
  switch (tree.kind) {
    case 'seq':
      return tree.items.every(mayBeEmpty)
    case 'choice':
      return tree.of.some(mayBeEmpty)
    case 'repeat':
      return tree.min === 0 || mayBeEmpty(tree.of)
    default:
      return tree.kind === 'assert' && tree.at === 'b'
  }
}

function isWord(code: number): boolean {
  return /[\p{L}\p{N}_]/u.test(String.fromCodePoint(code))
}
