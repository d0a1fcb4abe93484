/**
 * Paths that could mean another file than the one they name: such a path is in no scope at all. Looked for in the path
 * between two slashes, in lower case. Branches are alike.
 */

/**
 * A backslash, a drive or stream, an empty segment (so also an absolute path), a segment that ends in a dot (so also `.`
 * and `..`) or has a space at its end (file systems drop both). A pattern names other files: `git add 'src/*'` takes a key
 * along. And what means something else in a URL that a server puts the path into: `src/a.%70em`, `src/a.pem#.ts` and
 * `src/a.pem?x` are `src/a.pem` there, and `..;` is a step up for some.
 */
export const oddParts = ['\\', ':', '*', '?', '#', ';', '%', '//', './', '/ ', ' /'] as const

export function isUnsafePath(path: string): boolean {
  const wrapped = lowerPath(`/${path}/`)
  return oddParts.some((part) => wrapped.includes(part))
}

/** Letter by letter, as Rego's `lower` does it: no letter becomes two, none depends on its neighbours. */
export function lowerPath(path: string): string {
  return [...path].map((letter) => [...letter.toLowerCase()][0] as string).join('')
}

/**
 * What Git takes for no name of a branch: in `fix/a:main` and `fix/../main` a push may see the branch `main`. And what a
 * server may decode to such a name.
 */
const oddInBranch = /\.\.|\/\/|(?:^|\/)\.|\.(?:lock)?(?:\/|$)|[\s~^:?*[\\]|@\{|%(?:00|2[05ef]|3a|5c)/i

export function isUnsafeBranch(name: string): boolean {
  return oddInBranch.test(name)
}
