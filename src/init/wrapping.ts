/** Tollgate before the command of a server: put into the text of a configuration, seen there, and taken out again. */
import { applyEdits, type Edit } from 'jsonc-parser/lib/umd/main.js'
import type { Node } from './document.ts'
import type { Entry, Start } from './entries.ts'

export interface Wrapped {
  /** What stands before the server's own command, with the `--`. */
  readonly head: readonly string[]
  /** The server's own command. */
  readonly words: readonly string[]
  /** Put there by `init`, and not by hand. */
  readonly ours: boolean
}

/** What `head` is made of. */
export interface Gate {
  readonly node: string
  readonly main: string
  readonly policy: string
  readonly server: string
  readonly ledger?: string
}

/** Keeps the memory of the gate small (`bin/tollgate` says why). */
const nodeOption = '--max-semi-space-size=2'

export function headOf({ node, main, policy, server, ledger }: Gate): readonly string[] {
  const kept = ledger === undefined ? [] : ['--ledger', ledger]
  return [node, nodeOption, main, 'run', '-c', policy, '--server', server, ...kept, '--']
}

/** Undefined when no Tollgate stands before the server. */
export function wrappedOf({ command, args }: Pick<Start, 'command' | 'args'>): Wrapped | undefined {
  const all = [command, ...args]
  const before = all.slice(0, Math.max(all.indexOf('--'), 0))
  const at = before.findIndex((word, index) => isTollgate(word) && before[index + 1] === 'run')
  const end = at === -1 ? -1 : endOfOptions(all, at + 2)
  if (end === -1) return undefined
  const ours = before[1] === nodeOption && at === 2 && all[4] === '-c' && all[6] === '--server'
  return { head: all.slice(0, end + 1), words: all.slice(end + 1), ours: ours && end < all.length - 1 }
}

/** The `--` behind the options of `run`, each of which takes a value: a server may be called `--`. */
function endOfOptions(words: readonly string[], from: number): number {
  let at = from
  while (at < words.length && words[at] !== '--') at += /^-[^=]*$/.test(words[at] as string) ? 2 : 1
  return at < words.length ? at : -1
}

function isTollgate(word: string): boolean {
  const [name = '', folder] = word.split(/[/\\]/).toReversed()
  return /^tollgate(\.(cmd|exe|ps1))?$/.test(name) || (folder === 'cli' && /^main\.[jt]s$/.test(name))
}

export interface Wrapping {
  readonly start: Start
  readonly head: readonly string[]
}

/** The text with these servers wrapped. Every other character stays as it is. */
export function wrap(text: string, wrappings: readonly Wrapping[]): string {
  return applyEdits(
    text,
    wrappings.flatMap((one) => wrapEdits(text, one)),
  )
}

/** The text without our wrapping of these servers: the opposite of `wrap`, but that an empty `args` may stay. */
export function unwrap(text: string, starts: readonly Start[]): string {
  return applyEdits(
    text,
    starts.flatMap((start) => unwrapEdits(text, start)),
  )
}

function wrapEdits(text: string, { start, head }: Wrapping): Edit[] {
  const { commandMember, argsNode } = start
  const [command = '', ...before] = head
  const literals = [...before.map((word) => JSON.stringify(word)), literalOf(text, commandMember.value)]
  return [replaced(commandMember.value, JSON.stringify(command)), argsEdit(text, start, argsNode, literals)]
}

function argsEdit(text: string, start: Start, argsNode: Node | undefined, literals: readonly string[]): Edit {
  const { property, value } = start.commandMember
  const colon = /^\s*:\s*$/.exec(text.slice(keyEnd(property), value.offset))?.[0] ?? ': '
  const space = /\s$/.test(colon) ? ' ' : ''
  if (argsNode === undefined) {
    const list = `${gapBefore(text, property.offset)}"args"${colon}[${literals.join(`,${space}`)}]`
    return { offset: value.offset + value.length, length: 0, content: `,${list}` }
  }
  const [first, second] = argsNode.children ?? []
  if (!first) return { offset: argsNode.offset + 1, length: 0, content: literals.join(`,${space}`) }
  const line = lineBefore(text, first.offset) ?? (second && gapBefore(text, second.offset)) ?? space
  return { offset: first.offset, length: 0, content: literals.map((literal) => `${literal},${line}`).join('') }
}

function unwrapEdits(text: string, start: Start): Edit[] {
  const { argsNode, commandMember } = start
  const items = argsNode?.children ?? []
  const [first] = items
  const own = (wrappedOf(start)?.head.length ?? 0) - 1
  const command = items[own]
  if (!first || !command) throw new TypeError('this server is not wrapped')
  const next = items[own + 1]
  const end = next?.offset ?? endOfList(text, command)
  return [
    replaced(commandMember.value, literalOf(text, command)),
    { offset: first.offset, length: end - first.offset, content: '' },
  ]
}

/** A comma behind the last item goes with it. */
function endOfList(text: string, last: Node): number {
  const end = last.offset + last.length
  return end + (/^\s*,/.exec(text.slice(end))?.[0].length ?? 0)
}

function replaced({ offset, length }: Node, content: string): Edit {
  return { offset, length, content }
}

function literalOf(text: string, { offset, length }: Node): string {
  return text.slice(offset, offset + length)
}

function keyEnd(property: Node): number {
  const [key] = property.children ?? []
  return key ? key.offset + key.length : property.offset
}

/** The line break and the indentation before a place, if it begins its line. */
function lineBefore(text: string, offset: number): string | undefined {
  return /\r?\n[ \t]*$/.exec(text.slice(Math.max(0, offset - 1_000), offset))?.[0]
}

function gapBefore(text: string, offset: number): string {
  return lineBefore(text, offset) ?? (/[ \t]*$/.exec(text.slice(Math.max(0, offset - 1_000), offset))?.[0] as string)
}

/** The entries that are wrapped, with what they are wrapped in. */
export function wrappedEntries(entries: readonly Entry[]): readonly {
  readonly entry: Entry
  readonly start: Start
  readonly wrapped: Wrapped
}[] {
  return entries.flatMap((entry) => {
    const wrapped = entry.kind === 'stdio' ? wrappedOf(entry.start) : undefined
    return entry.kind === 'stdio' && wrapped ? [{ entry, start: entry.start, wrapped }] : []
  })
}
