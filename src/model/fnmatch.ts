/**
 * Globs as Python's `fnmatch` reads them: `*`, `?`, `[seq]`, `[!seq]`. They are case-sensitive and match the whole text.
 * A `]` that comes first belongs to its set, a set that is not closed is a bracket, a range that runs backwards is empty.
 */

export type GlobPart =
  | { readonly kind: 'run' }
  | { readonly kind: 'any' }
  | { readonly kind: 'char'; readonly char: string }
  | { readonly kind: 'set'; readonly negated: boolean; readonly ranges: readonly (readonly [string, string])[] }

export function globParts(glob: string): readonly GlobPart[] {
  const chars = [...glob]
  const parts: GlobPart[] = []
  for (let i = 0; i < chars.length; i++) {
    const char = chars[i] as string
    const end = char === '[' ? closingOf(chars, i) : -1
    if (char === '*') {
      if (parts.at(-1)?.kind !== 'run') parts.push({ kind: 'run' })
    } else if (char === '?') parts.push({ kind: 'any' })
    else if (end === -1) parts.push({ kind: 'char', char })
    else {
      parts.push(setOf(chars.slice(i + 1, end)))
      i = end
    }
  }
  return parts
}

/** The text that alone matches, if the glob is one. */
export function literalOf(glob: string): string | undefined {
  const parts = globParts(glob)
  return parts.every((part) => part.kind === 'char') ? parts.map(({ char }) => char).join('') : undefined
}

export function matchesGlob(glob: string, text: string): boolean {
  return partsMatch(globParts(glob), [...text], takes)
}

/** Does the one match all that the other matches? No, where that is not plain. */
export function coversGlob(wide: string, narrow: string): boolean {
  return wide === '*' || wide === narrow || partsMatch(globParts(wide), globParts(narrow), takesAll)
}

/** A run stands for more than one character, and for none: a run alone takes it. */
function takesAll(part: OneChar, narrow: GlobPart): boolean {
  if (narrow.kind === 'run') return false
  if (part.kind === 'any') return true
  if (narrow.kind === 'char') return takes(part, narrow.char)
  return JSON.stringify(part) === JSON.stringify(narrow)
}

/** Linear in the text for each run: on a mismatch only the last run moves. */
function partsMatch<T>(parts: readonly GlobPart[], chars: readonly T[], taken: (part: OneChar, char: T) => boolean) {
  let p = 0
  let t = 0
  let run = -1
  let resume = 0
  while (t < chars.length) {
    const part = parts[p]
    if (part?.kind === 'run') {
      run = p++
      resume = t
    } else if (part && taken(part, chars[t] as T)) {
      p++
      t++
    } else if (run >= 0) {
      p = run + 1
      t = ++resume
    } else return false
  }
  while (parts[p]?.kind === 'run') p++
  return p === parts.length
}

type OneChar = Exclude<GlobPart, { kind: 'run' }>

export function takes(part: OneChar, char: string): boolean {
  switch (part.kind) {
    case 'any':
      return true
    case 'char':
      return part.char === char
    case 'set':
      return part.ranges.some(([from, to]) => within(char, from, to)) !== part.negated
  }
  return part satisfies never
}

/** Where the set that opens here is closed; -1 when it is not. */
function closingOf(chars: readonly string[], open: number): number {
  const first = open + (chars[open + 1] === '!' ? 2 : 1)
  return chars.indexOf(']', first + 1)
}

function setOf(inside: readonly string[]): GlobPart {
  const negated = inside[0] === '!'
  const ranges: (readonly [string, string])[] = []
  for (let i = negated ? 1 : 0; i < inside.length; i++) {
    const from = inside[i] as string
    const to = inside[i + 1] === '-' ? inside[i + 2] : undefined
    if (to === undefined) ranges.push([from, from])
    else {
      if (codeOf(from) <= codeOf(to)) ranges.push([from, to])
      i += 2
    }
  }
  return { kind: 'set', negated, ranges }
}

function within(char: string, from: string, to: string): boolean {
  return codeOf(from) <= codeOf(char) && codeOf(char) <= codeOf(to)
}

export function codeOf(char: string): number {
  return char.codePointAt(0) as number
}
