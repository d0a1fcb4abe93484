/**
 * Persons who may answer, by their keys: a file with a name and the SHA-256 of a key on each line. A key is long and random,
 * so its digest needs no salt. The file is followed: a line that is gone is a key that is worth nothing any more.
 */
import { hash, randomBytes } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { type Approver, isApproverName } from '../model/approval.ts'
import { messageOf, TollgateError } from '../model/errors.ts'
import { approverCharsMax } from '../model/limits.ts'
import { quoted } from '../model/message/quoted.ts'
import { approversBytesMax } from './limits.ts'

type Names = ReadonlyMap<string, string>

const keyPrefix = 'tgk_'

/** A new key, which nobody but its owner sees again, and the line for the file. Throws `approver_invalid`. */
export function newKey(name: string): { readonly key: string; readonly line: string } {
  if (!isApproverName(name)) throw new TollgateError('approver_invalid', nameTrouble(name))
  const key = `${keyPrefix}${randomBytes(32).toString('base64url')}`
  return { key, line: `${name} sha256:${hash('sha256', key)}` }
}

export class Approvers {
  readonly #file: string
  readonly #report: (error: unknown) => void
  #names: Names
  #seen: string

  /** Throws `approvers_invalid`, with every mistake. */
  constructor(file: string, report: (error: unknown) => void) {
    this.#file = file
    this.#report = report
    this.#seen = stateOf(file)
    this.#names = namesIn(file)
  }

  /** Whose key it is. Nobody's, as long as the file cannot be read. */
  ofKey(key: string): Approver | undefined {
    this.#follow()
    const name = this.#names.get(hash('sha256', key))
    return name === undefined ? undefined : { name, known_by: 'api_key' }
  }

  #follow(): void {
    const state = stateOf(this.#file)
    if (state === this.#seen) return
    this.#seen = state
    try {
      this.#names = namesIn(this.#file)
    } catch (error) {
      this.#names = new Map()
      this.#report(error)
    }
  }
}

function stateOf(file: string): string {
  const stats = statSync(file, { throwIfNoEntry: false, bigint: true })
  return stats === undefined ? 'none' : `${stats.ino} ${stats.size} ${stats.mtimeNs}`
}

function namesIn(file: string): Names {
  const names = new Map<string, string>()
  const mistakes: string[] = []
  for (const [index, line] of textOf(file).split(/\r?\n/).entries()) {
    if (/^\s*(#.*)?$/.test(line)) continue
    const mistake = take(line, names)
    if (mistake !== undefined) mistakes.push(`${file}:${index + 1}:1: ${mistake}`)
  }
  if (mistakes.length > 0) throw new TollgateError('approvers_invalid', mistakes.join('\n'))
  return names
}

function take(line: string, names: Map<string, string>): string | undefined {
  const [, name = '', digest = ''] = /^(.*\S)\s+sha256:([0-9a-f]{64})\s*$/.exec(line) ?? []
  if (digest === '') return 'a line is a name and `sha256:` with 64 hex digits: `tollgate approvals key NAME` makes one'
  if (!isApproverName(name)) return nameTrouble(name)
  if (names.has(digest)) return `the key of ${quoted(name)} is that of ${quoted(names.get(digest) ?? '')} too`
  names.set(digest, name)
  return undefined
}

function nameTrouble(name: string): string {
  return `${quoted(name)} is no name of a person: 1 to ${approverCharsMax} visible characters`
}

function textOf(file: string): string {
  try {
    const bytes = readFileSync(file)
    if (bytes.length > approversBytesMax) throw new Error(`it is larger than ${approversBytesMax} bytes`)
    return bytes.toString('utf8')
  } catch (cause) {
    throw new TollgateError('approvers_invalid', `\`${file}\` cannot be read: ${messageOf(cause)}`, { cause })
  }
}
