/** Files with tests, in the folders and under the names that a command was given. */
import { type Dirent, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { messageOf, TollgateError } from '../model/errors.ts'
import { policyBytesMax } from '../model/limits.ts'
import { foldersDeepMax, testFilesMax } from './limits.ts'

/** Throws `tests_unreadable`. Each file once, those of a folder by their names. */
export function findTests(paths: readonly string[]): readonly string[] {
  const found = paths.flatMap((path) => (isFolder(path) ? [...testsUnder(path, 0)] : [path]))
  // Rego is run apart from them, all of it together.
  return [...new Set(found)].filter((path) => !path.endsWith('.rego'))
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT'
    const why = missing ? 'there is no such file or folder' : messageOf(cause)
    throw new TollgateError('tests_unreadable', `\`${path}\`: ${why}`, { cause })
  }
}

/** Links to folders are not followed: they may lead in circles. */
function* testsUnder(folder: string, depth: number): Generator<string> {
  if (depth > foldersDeepMax) return
  let count = 0
  for (const entry of entriesOf(folder)) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) {
      if (!entry.name.startsWith('.') && entry.name !== 'node_modules') yield* testsUnder(path, depth + 1)
    } else if (isTestFile(path)) {
      if (++count > testFilesMax)
        throw new TollgateError('tests_unreadable', `\`${folder}\` has more than ${testFilesMax} files with tests`)
      yield path
    }
  }
}

function entriesOf(folder: string): readonly Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).sort((one, other) => (one.name < other.name ? -1 : 1))
  } catch (cause) {
    throw new TollgateError('tests_unreadable', `\`${folder}\`: ${messageOf(cause)}`, { cause })
  }
}

/** By its name; a suite of Aegis may be called anything, and is told by what it says. */
function isTestFile(path: string): boolean {
  if (/_test\.ya?ml$/.test(path)) return true
  return /\.ya?ml$/.test(path) && isAegisSuiteFile(path)
}

function isAegisSuiteFile(path: string): boolean {
  try {
    if (statSync(path).size > policyBytesMax) return false
    const text = readFileSync(path, 'utf8')
    return /^tests:/m.test(text) && /\baction:/.test(text) && /\b(?:expected_decision|expect):/.test(text)
  } catch {
    return false // a link that leads nowhere is no test
  }
}
