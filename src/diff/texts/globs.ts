/** Which of many globs match a text as a whole: literals, prefixes and parts of texts are globs, too. */
import { codeOf, type GlobPart, globParts, takes } from '../../model/fnmatch.ts'
import type { Pattern } from '../../model/policy.ts'
import type { Reader } from './reader.ts'

export type Glob = readonly GlobPart[]

const run: GlobPart = { kind: 'run' }

export function literal(text: string): Glob {
  return [...text].map((char) => ({ kind: 'char', char }))
}

export function beginning(text: string): Glob {
  return [...literal(text), run]
}

export function anywhere(text: string): Glob {
  return [run, ...literal(text), run]
}

/** A name as `src/model/match.ts` matches it. */
export function namePattern(pattern: Pattern): Glob {
  if (pattern.kind === 'literal') return literal(pattern.text)
  return [...pattern.text].map((char) => (char === '*' ? run : char === '?' ? { kind: 'any' } : { kind: 'char', char }))
}

/** As `src/model/fnmatch.ts` matches it. */
export function fnmatchPattern(glob: string): Glob {
  return globParts(glob)
}

/** A state is the places in the globs that the text has come to, as numbers. */
export function globReader(globs: readonly Glob[]): Reader<readonly number[]> {
  const places = globs.flatMap((parts, glob) => [...parts, undefined].map((part) => ({ glob, part })))
  /** A run may also be none. */
  const add = (into: Set<number>, place: number) => {
    into.add(place)
    if (places[place]?.part?.kind === 'run') add(into, place + 1)
  }
  const sorted = (set: Set<number>) => [...set].sort((a, b) => a - b)
  const start = new Set<number>()
  for (const [place, { glob }] of places.entries())
    if (place === 0 || places[place - 1]?.glob !== glob) add(start, place)
  return {
    start: sorted(start),
    step(state, code) {
      const char = String.fromCodePoint(code)
      const next = new Set<number>()
      for (const place of state) {
        const part = places[place]?.part
        if (part?.kind === 'run') add(next, place)
        else if (part && takes(part, char)) add(next, place + 1)
      }
      return sorted(next)
    },
    key: (state) => state.join(),
    marks: (state) => state.flatMap((place) => (places[place]?.part ? [] : [places[place]?.glob])).join(),
    edges: globs.flatMap((parts) => parts.flatMap(edgesOf)),
  }
}

function edgesOf(part: GlobPart): readonly number[] {
  if (part.kind === 'char') return [codeOf(part.char), codeOf(part.char) + 1]
  return part.kind === 'set' ? part.ranges.flatMap(([from, to]) => [codeOf(from), codeOf(to) + 1]) : []
}
