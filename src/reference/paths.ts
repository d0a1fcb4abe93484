/**
 * Paths against the patterns of a change scope. What may be changed is read narrowly: `*` stays within a segment, letter
 * case counts. What must not be changed is read widely: `*` crosses segments, letter case does not count, and what forbids
 * a folder forbids all below it.
 */
import { globMatches } from '../model/match.ts'
import { lowerPath } from '../model/pack/paths.ts'

export function allows(pattern: string, path: string): boolean {
  return segmentsMatch(pattern.split('/'), path.split('/'))
}

/**
 * `**` is any number of segments; at the end at least one. Where what was matched so far may end is known at each step, so
 * that no path takes long.
 */
function segmentsMatch(pattern: readonly string[], path: readonly string[]): boolean {
  let ends: readonly number[] = [0]
  for (const [index, one] of pattern.entries()) {
    const [first = path.length + 1] = ends
    const isLast = index === pattern.length - 1
    ends =
      one === '**'
        ? range(isLast ? first + 1 : first, path.length)
        : ends.filter((end) => end < path.length && globMatches(one, path[end] as string)).map((end) => end + 1)
  }
  return ends.includes(path.length)
}

function range(from: number, to: number): readonly number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index)
}

export function forbids(pattern: string, path: string): boolean {
  const folders = lowerPath(path).split('/')
  const andAbove = folders.map((_, index) => folders.slice(0, index + 1).join('/'))
  const globs = readings(withoutBelow(lowerPath(pattern).split('/')))
  return globs.some((glob) => andAbove.some((one) => globMatches(glob, one)))
}

/** All that is below a folder is the folder. */
function withoutBelow(segments: readonly string[]): readonly string[] {
  const last = segments.at(-1)
  return segments.length > 1 && (last === '**' || last === '*') ? withoutBelow(segments.slice(0, -1)) : segments
}

/** `**` is any run of characters, or is not there at all. */
function readings([first, ...rest]: readonly string[]): readonly string[] {
  if (first === undefined) return []
  const glob = first === '**' ? '*' : first
  if (rest.length === 0) return [glob]
  const below = readings(rest)
  const withThis = below.map((one) => `${glob}/${one}`)
  return first === '**' ? [...withThis, ...below] : withThis
}
