/** What can be called, parted by what the policies say of it: each with one that stands for all of which they say the same. */
import { literalOf, matchesGlob } from '../model/fnmatch.ts'
import { nameCharsMax, uriCharsMax } from '../model/limits.ts'
import { matchingEntries, type Target, targetMatches } from '../model/match.ts'
import type { FirstPolicy } from '../model/ordered.ts'
import { type AllPolicy, judgedMethods, type Method, type Pattern } from '../model/policy.ts'
import { unsafeUri } from '../model/uri.ts'
import { rulesAbout, type Side, type SideLayer } from './side.ts'
import { fnmatchPattern, type Glob, globReader, namePattern } from './texts/globs.ts'
import { patternReader } from './texts/patterns.ts'
import type { Reader } from './texts/reader.ts'
import { type TextsFound, walkTexts } from './texts/walk.ts'

export interface TargetClass {
  readonly target: Target
  /** Patterns by which the policies know it, as they are written; none: all that they do not name. */
  readonly names: readonly string[]
  /** It is the only one of its kind. */
  readonly isOne: boolean
  /** What is said of it: the same for all of its kind. */
  readonly said: string
}

/** What the sides say of a target, as far as it is told apart. */
export function saidOfTarget(sides: readonly Side[], target: Target): string {
  return JSON.stringify([target.method, ...sides.flatMap(({ layers }) => layers.map((layer) => saidOf(layer, target)))])
}

export interface TargetsFound {
  readonly classes: readonly TargetClass[]
  /** Methods of which not all names could be told apart. */
  readonly incomplete: readonly Method[]
}

interface Options {
  readonly statesMax: number
  readonly expired: () => boolean
}

export function targetsOf(sides: readonly Side[], options: Options): TargetsFound {
  const layers = sides.flatMap(({ layers: own }) => own)
  const incomplete: Method[] = []
  const classes = judgedMethods.flatMap((method) => {
    const patterns = layers.flatMap((layer) => patternsOf(layer, method))
    const globs = patterns.map(({ name }) => name)
    const names = textsOf(globs, options, method === 'resources/read' ? 'uri' : 'name')
    const servers = textsOf(
      patterns.flatMap(({ server }) => (server ? [server] : [])),
      options,
      'server',
    )
    if (!names.complete || !servers.complete) incomplete.push(method)
    const named = withLiterals(names.texts, globs, method)
    const all = withLiterals(
      servers.texts,
      patterns.flatMap(({ server }) => (server ? [server] : [])),
      'server',
    ).flatMap((server) => named.map((name): Target => ({ method, server, name })))
    return merged(all, sides, patterns)
  })
  return { classes, incomplete }
}

interface NamePattern {
  /** As it is written. */
  readonly text: string
  readonly literal: boolean
  readonly name: Glob
  readonly server: Glob | undefined
  readonly matches: (target: Target) => boolean
}

function patternsOf({ policy }: SideLayer, method: Method): readonly NamePattern[] {
  return policy.strategy === 'all'
    ? patternsOfAll(policy, method)
    : method === 'tools/call'
      ? patternsOfFirst(policy)
      : []
}

function patternsOfAll({ entries }: AllPolicy, method: Method): readonly NamePattern[] {
  return entries
    .filter((entry) => entry.method === method)
    .flatMap(({ match }) =>
      match.map((one) => ({
        text: one.server ? `${one.server.text}/${one.name.text}` : one.name.text,
        literal: one.name.kind === 'literal',
        name: namePattern(one.name),
        server: one.server && serverPattern(one.server),
        matches: (target: Target) => targetMatches(one, target),
      })),
    )
}

function serverPattern(pattern: Pattern): Glob | undefined {
  return pattern.kind === 'glob' && pattern.text === '*' ? undefined : namePattern(pattern)
}

function patternsOfFirst({ rules }: FirstPolicy): readonly NamePattern[] {
  return rules.map(({ match }) => ({
    text: match.target === '*' ? match.type : `${match.target}/${match.type}`,
    literal: literalOf(match.type) !== undefined,
    name: fnmatchPattern(match.type),
    server: match.target === '*' ? undefined : fnmatchPattern(match.target),
    matches: ({ server, name }: Target) => matchesGlob(match.type, name) && matchesGlob(match.target, server),
  }))
}

function textsOf(globs: readonly Glob[], options: Options, kind: 'name' | 'server' | 'uri'): TextsFound {
  const unsafe = kind === 'uri' && globs.length > 0 ? unsafeReaders() : []
  const readers = [globReader(globs) as unknown as Reader<never>, ...unsafe]
  const found = walkTexts(readers, { ...options, ...(kind !== 'server' && { names: true as const }) })
  return kind === 'uri' ? { ...found, texts: found.texts.filter((uri) => unsafeUri(uri) === undefined) } : found
}

/** What `src/model/uri.ts` looks at, so that safe URIs are told from others. */
function unsafeReaders(): readonly Reader<never>[] {
  const said = [
    String.raw`[\x00-\x20\x7f\\]`,
    '(?i)%(?:25)*(?:[01][0-9a-f]|2[def]|3[0-9]|4[1-9a-f]|5[0-9acf]|6[1-9a-f]|7[0-9aef]|c[01])',
    '^[^:/?#]*[A-Z][^:/?#]*:',
    String.raw`(?:^|[/?#])\.\.?(?:;|[/?#]|$)`,
    '^file:',
    '^file://',
    '^file://localhost(?:[/?#]|$)',
    '(?s)^file://.*//',
  ]
  return said.map((pattern) => patternReader(pattern, false) as unknown as Reader<never>)
}

/** A literal name stands for itself: where the walk has found it, it is there already. */
function withLiterals(texts: readonly string[], globs: readonly Glob[], kind: Method | 'server'): readonly string[] {
  const literals = globs.flatMap((glob) => {
    const chars = glob.flatMap((part) => (part.kind === 'char' ? [part.char] : []))
    return chars.length === glob.length ? [chars.join('')] : []
  })
  const fits = literals.filter((name) => kind === 'server' || isName(name, kind))
  // A server that nobody has named is called nothing.
  return [...new Set([...(kind === 'server' ? [''] : []), ...fits, ...texts])]
}

function isName(name: string, method: Method): boolean {
  if (method === 'resources/read') return name !== '' && name.length <= uriCharsMax && unsafeUri(name) === undefined
  return name !== '' && name.length <= nameCharsMax
}

/** Of targets of which the same is said one is enough. */
function merged(
  targets: readonly Target[],
  sides: readonly Side[],
  patterns: readonly NamePattern[],
): readonly TargetClass[] {
  const bySaid = Map.groupBy(targets, (target) => saidOfTarget(sides, target))
  return [...bySaid].map(([said, same]) => {
    const target = same.find(({ server }) => server === '') ?? (same[0] as Target)
    const found = patterns.filter(({ matches }) => matches(target))
    const literal = found.filter((one) => one.literal && one.server === undefined)
    const names = [...new Set((literal.length > 0 ? literal : found).map(({ text }) => text))]
    const isOne = same.every(({ name }) => name === target.name) && found.some((one) => one.literal)
    return { target, names: names.filter((text) => text !== '*' || found.length === 1), isOne, said }
  })
}

/** Which entries or rules speak of it. */
function saidOf({ policy }: SideLayer, target: Target): readonly number[] {
  const speaking: readonly unknown[] =
    policy.strategy === 'all' ? matchingEntries(policy, target) : rulesAbout(policy, target)
  const about = new Set(speaking)
  const all: readonly unknown[] = policy.strategy === 'all' ? policy.entries : policy.rules
  return all.flatMap((one, index) => (about.has(one) ? [index] : []))
}
