/** Rego in the folders that a command was given, with the data beside it: what `opa test -b` would load. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join, relative, sep } from 'node:path'
import { parse } from 'yaml'
import type { Data, Modules } from '../../compile/request.ts'
import { messageOf, TollgateError } from '../../model/errors.ts'
import { policyBytesMax } from '../../model/limits.ts'

export interface RegoFiles {
  /** Text by path, as the command was given it or found it. */
  readonly modules: Modules
  readonly data: Data
  /** Those called `*_test.rego`. */
  readonly tests: readonly string[]
}

/** Throws `tests_unreadable`. */
export function findRego(paths: readonly string[]): RegoFiles {
  const found = filesIn(paths)
  const named = (pattern: RegExp) => found.filter(({ file }) => pattern.test(basename(file)))
  const modules = [...new Set(named(/\.rego$/).map(({ file }) => file))].sort()
  const tests = modules.filter((file) => file.endsWith('_test.rego'))
  // Data is read where there is something that could ask for it.
  const data = tests.length === 0 ? [] : named(dataName)
  return {
    modules: Object.fromEntries((tests.length === 0 ? [] : modules).map((file) => [file, textOf(file)])),
    data: data.reduce<Data>((all, { root, file }) => withDocument(all, keysOf(root, file), file), {}),
    tests,
  }
}

/** The files of which the tests in Rego are made. Throws `tests_unreadable`. */
export function regoNames(paths: readonly string[]): readonly string[] {
  const found = filesIn(paths).map(({ file }) => file)
  return found.filter((file) => file.endsWith('.rego') || dataName.test(basename(file)))
}

const dataName = /^data\.(?:json|ya?ml)$/

function filesIn(paths: readonly string[]): readonly { readonly root: string; readonly file: string }[] {
  return paths.flatMap((path) => filesUnder(path).map((file) => ({ root: path, file })))
}

function filesUnder(path: string): readonly string[] {
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) return [path]
  try {
    return readdirSync(path, { recursive: true, encoding: 'utf8' })
      .filter(
        (name) => !name.split(sep).some((part) => part === 'node_modules' || (part !== '.' && part.startsWith('.'))),
      )
      .map((name) => join(path, name))
  } catch (cause) {
    throw unreadable(path, cause)
  }
}

function textOf(file: string): string {
  try {
    const { size } = statSync(file)
    if (size > policyBytesMax) throw new Error(`it has ${size} bytes, at most ${policyBytesMax} are read`)
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw unreadable(file, cause)
  }
}

/** Data stands where its folder stands below the root. */
function keysOf(root: string, file: string): readonly string[] {
  return relative(root, dirname(file))
    .split(sep)
    .filter((key) => key !== '')
}

function withDocument(all: Data, keys: readonly string[], file: string): Data {
  const document = documentIn(file)
  const [key, ...below] = keys
  const nested = [...below].reduceRight((value: unknown, name) => ({ [name]: value }), document)
  return merged(all, (key === undefined ? document : { [key]: nested }) as Data, file)
}

function documentIn(file: string): object {
  const text = textOf(file)
  try {
    const document: unknown = file.endsWith('.json') ? JSON.parse(text) : parse(text)
    if (isMap(document)) return document
  } catch (cause) {
    throw unreadable(file, cause)
  }
  throw unreadable(file, new Error('data is a map of documents'))
}

function merged(one: Data, other: Data, file: string): Data {
  const members = Object.entries(other).map(([key, value]): [string, unknown] => {
    const there = Object.hasOwn(one, key) ? one[key] : undefined
    if (there === undefined) return [key, value]
    if (isMap(there) && isMap(value)) return [key, merged(there, value, file)]
    throw unreadable(file, new Error(`\`${key}\` is given by another file as well`))
  })
  return Object.fromEntries([...Object.entries(one), ...members])
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function unreadable(file: string, cause: unknown): TollgateError {
  return new TollgateError('tests_unreadable', `\`${file}\`: ${messageOf(cause)}`, { cause })
}
