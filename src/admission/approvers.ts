/**
 * Persons who may answer, and programs that may ask, by their keys: a file with a name, the SHA-256 of a key and what it may
 * do on each line. A key is long and random, so its digest needs no salt. The file is followed: a line that is gone is a key that is worth nothing any more.
 */
import { hash, randomBytes } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { isApproverName } from '../model/approval.ts'
import { messageOf, TollgateError } from '../model/errors.ts'
import { approverCharsMax } from '../model/limits.ts'
import { quoted } from '../model/message/quoted.ts'
import { approversBytesMax } from './limits.ts'
import { isScope, type KeyHolder, personScopes, type Scope, scopes } from './scopes.ts'

type Holders = ReadonlyMap<string, KeyHolder>

const keyPrefix = 'tgk_'

/** A new key, which nobody but its owner sees again, and the line for the file. Throws `approver_invalid`. */
export function newKey(name: string, may: readonly Scope[] = []): { readonly key: string; readonly line: string } {
  if (!isApproverName(name)) throw new TollgateError('approver_invalid', nameTrouble(name))
  const key = `${keyPrefix}${randomBytes(32).toString('base64url')}`
  return { key, line: [name, `sha256:${hash('sha256', key)}`, ...may].join(' ') }
}

export class Approvers {
  readonly #file: string
  readonly #report: (error: unknown) => void
  #holders: Holders
  #seen: string

  /** Throws `approvers_invalid`, with every mistake. */
  constructor(file: string, report: (error: unknown) => void) {
    this.#file = file
    this.#report = report
    this.#seen = stateOf(file)
    this.#holders = holdersIn(file)
  }

  /** Whose key it is. Nobody's, as long as the file cannot be read. */
  ofKey(key: string): KeyHolder | undefined {
    this.#follow()
    return this.#holders.get(hash('sha256', key))
  }

  #follow(): void {
    const state = stateOf(this.#file)
    if (state === this.#seen) return
    this.#seen = state
    try {
      this.#holders = holdersIn(this.#file)
    } catch (error) {
      this.#holders = new Map()
      this.#report(error)
    }
  }
}

function stateOf(file: string): string {
  const stats = statSync(file, { throwIfNoEntry: false, bigint: true })
  return stats === undefined ? 'none' : `${stats.ino} ${stats.size} ${stats.mtimeNs}`
}

function holdersIn(file: string): Holders {
  const holders = new Map<string, KeyHolder>()
  const mistakes: string[] = []
  for (const [index, line] of textOf(file).split(/\r?\n/).entries()) {
    if (/^\s*(#.*)?$/.test(line)) continue
    const mistake = take(line, holders)
    if (mistake !== undefined) mistakes.push(`${file}:${index + 1}:1: ${mistake}`)
  }
  if (mistakes.length > 0) throw new TollgateError('approvers_invalid', mistakes.join('\n'))
  return holders
}

function take(line: string, holders: Map<string, KeyHolder>): string | undefined {
  const [, name = '', digest = '', said = ''] = /^(.*\S)\s+sha256:([0-9a-f]{64})((?:\s+\S+)*)\s*$/.exec(line) ?? []
  if (digest === '') return 'a line is a name and `sha256:` with 64 hex digits: `tollgate approvals key NAME` makes one'
  if (!isApproverName(name)) return nameTrouble(name)
  const words = said.split(/\s+/).filter((word) => word !== '')
  const unknown = words.find((word) => !isScope(word))
  if (unknown !== undefined) return `${quoted(unknown)} is nothing that a key may do: ${scopes.join(', ')}`
  const other = holders.get(digest)
  if (other !== undefined) return `the key of ${quoted(name)} is that of ${quoted(other.holder.name)} too`
  const may = words.length === 0 ? personScopes : words.filter(isScope)
  holders.set(digest, { holder: { name, known_by: 'api_key' }, scopes: may })
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
