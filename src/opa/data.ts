/** The `data.json` files of a bundle to the one document that policies know as `data`. */
import type { Json } from '../model/canonical.ts'
import { survivesDouble } from '../model/decimal.ts'
import { closingQuote } from '../model/message/ambiguity.ts'
import { isObject } from '../model/message/json.ts'
import { BundleError } from './errors.ts'
import { type BundleFile, baseOf, kindOf } from './files.ts'
import { readValue } from './json.ts'
import { invalid, isBelow } from './manifest.ts'

/** Each of them where its folder is. Throws a `BundleError`. */
export function dataIn(files: readonly BundleFile[], roots: readonly string[]): Json {
  const root = new Map<string, Node>()
  for (const file of files.filter(({ path }) => kindOf(path) === 'data')) {
    const folders = file.path.slice(0, -baseOf(file.path).length).split('/').filter(Boolean)
    put(root, folders, exactValue(file), file.path)
  }
  const data = jsonOf(root)
  requireOwned(data, '', roots)
  return data
}

/** Objects as maps: names come from outside. */
type Node = Map<string, Node> | Exclude<Json, object> | readonly Json[]

function put(at: Map<string, Node>, [folder, ...below]: readonly string[], value: Json, path: string): void {
  if (folder !== undefined) {
    const next = at.get(folder) ?? new Map<string, Node>()
    at.set(folder, next)
    if (!(next instanceof Map)) throw twice(path)
    put(next, below, value, path)
    return
  }
  if (!isObject(value)) throw new BundleError('bundle_json_refused', `\`${path}\` is no object`)
  for (const [key, member] of Object.entries(value)) merge(at, key, member as Json, path)
}

function merge(at: Map<string, Node>, key: string, value: Json, path: string): void {
  const before = at.get(key)
  if (before === undefined && !isObject(value)) at.set(key, value as Exclude<Node, Map<string, Node>>)
  else if (isObject(value) && (before === undefined || before instanceof Map)) {
    const below = before ?? new Map<string, Node>()
    at.set(key, below)
    for (const [name, member] of Object.entries(value)) merge(below, name, member as Json, path)
  } else throw twice(path)
}

function twice(path: string): BundleError {
  return new BundleError('bundle_json_refused', `\`${path}\` says what another file says, too`)
}

function jsonOf(node: Node): Json {
  if (!(node instanceof Map)) return node
  // `fromEntries` defines own members, so that one called `__proto__` is one.
  return Object.fromEntries([...node].map(([key, below]) => [key, jsonOf(below)]))
}

/** Numbers that JavaScript would change decide otherwise in OPA. */
function exactValue({ path, bytes }: BundleFile): Json {
  const value = readValue(path, bytes)
  const text = Buffer.from(bytes).toString('utf8')
  for (const token of numbersIn(text))
    if (!survivesDouble(token))
      throw new BundleError(
        'bundle_json_refused',
        `\`${path}\` has the number ${token.slice(0, 40)}, which does not fit a double exactly`,
      )
  return value
}

/** As they are written, in text that is known to be JSON. Strings are skipped: an expression that reads one has to remember all of it. */
function* numbersIn(text: string): Generator<string, undefined> {
  const next = /"|-?\d[\d.eE+-]*/g
  for (let found = next.exec(text); found; found = next.exec(text)) {
    if (found[0] === '"') next.lastIndex = closingQuote(text, next.lastIndex) + 1
    else yield found[0]
  }
}

function requireOwned(value: Json, path: string, roots: readonly string[]): void {
  if (roots.some((root) => isBelow(path, root))) return
  const inside = roots.some((root) => path === '' || root.startsWith(`${path}/`))
  if (!inside || !isObject(value)) throw invalid(`the data \`${path}\` is outside of its roots`)
  for (const [key, member] of Object.entries(value))
    requireOwned(member as Json, path === '' ? key : `${path}/${key}`, roots)
}
