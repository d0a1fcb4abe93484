/** The codes that the sources can give, found by reading them: what is not found here could be given and not be explained. */
import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { root } from './tables.ts'

export interface Source {
  readonly path: string
  readonly text: string
}

export function sources(pattern: string): readonly Source[] {
  const cwd = fileURLToPath(root)
  return globSync(pattern, { cwd })
    .sort()
    .map((path) => ({ path, text: readFileSync(`${cwd}${path}`, 'utf8') }))
}

/** Classes of errors with a code, by name; those that fix their code carry it. */
function errorClasses(files: readonly Source[]): ReadonlyMap<string, string | undefined> {
  const classes = new Map<string, string | undefined>([['TollgateError', undefined]])
  const pattern = /class (\w+) extends (\w+) \{([\s\S]*?)\n\}/g
  const found = files
    .flatMap(({ text }) => [...text.matchAll(pattern)])
    .map(([, name = '', base = '', body = '']) => ({ name, base, fixed: /super\(\s*'([^']*)'/.exec(body)?.[1] }))
  for (let before = 0; before !== classes.size; ) {
    before = classes.size
    for (const { name, base, fixed } of found) if (classes.has(base)) classes.set(name, fixed ?? classes.get(base))
  }
  return classes
}

export interface ErrorCodes {
  readonly codes: ReadonlySet<string>
  /** Places that give a code which is no literal, as `path: expression`. */
  readonly unclear: readonly string[]
}

export function errorCodes(files: readonly Source[] = sources('src/**/*.ts')): ErrorCodes {
  const classes = errorClasses(files)
  const codes = new Set([...classes.values()].filter((fixed) => fixed !== undefined))
  const unclear: string[] = []
  for (const { path, text } of files)
    for (const [, name = '', argument = ''] of text.matchAll(/new (\w+)\(\s*([^,)]*)/g)) {
      if (!classes.has(name) || classes.get(name) !== undefined) continue
      const literal = /^'([^']*)'$/.exec(argument)?.[1]
      if (literal !== undefined) codes.add(literal)
      else unclear.push(`${path}: ${argument}`)
    }
  return { codes, unclear }
}

/** The members of `type NAME = 'a' | 'b'`. */
export function unionMembers(name: string, files: readonly Source[] = sources('src/**/*.ts')): readonly string[] {
  for (const { text } of files) {
    const found = new RegExp(`type ${name} =((?:\\s*\\|?\\s*'[^']*'[^\\n]*)+)`).exec(text)?.[1]
    if (found !== undefined) return [...found.matchAll(/^\s*\|?\s*'([^']*)'/gm)].map(([, member = '']) => member)
  }
  throw new Error(`no type \`${name}\``)
}

/** Which severities a mistake is reported with, by its code. */
export function mistakeSeverities(codes: readonly string[]): ReadonlyMap<string, ReadonlySet<string>> {
  const severities = new Map(codes.map((code) => [code, new Set<string>()]))
  for (const { text } of ['src/policy/**/*.ts', 'src/scan/*.ts', 'src/convert/*.ts', 'src/testing/**/*.ts'].flatMap(
    sources,
  ))
    for (const [, how = '', code = ''] of text.matchAll(/\.(error|warning|#refuse)\([^']*?'([a-z_]+)'/g))
      severities.get(code)?.add(how === 'warning' ? 'warning' : 'error')
  for (const { text } of sources('src/cli/*.ts'))
    for (const [, severity = '', code = ''] of text.matchAll(/severity: '(\w+)',\s*code: '([a-z_]+)'/g))
      severities.get(code)?.add(severity)
  return severities
}

/** Codes of the compiler's diagnostics beside OPA's: those that the Go program gives, and those that become errors here. */
export function compilerCodes(): ReadonlySet<string> {
  const go = sources('compiler/*.go').filter(({ path }) => !path.endsWith('_test.go'))
  const given = go.flatMap(({ text }) => [...text.matchAll(/(?:failure\(|Code: |Code = |NewError\()"([a-z_]+)"/g)])
  const taken = sources('src/compile/errors.ts').flatMap(({ text }) => [...text.matchAll(/case '([a-z_]+)':/g)])
  return new Set([...given, ...taken].map(([, code = '']) => code))
}
