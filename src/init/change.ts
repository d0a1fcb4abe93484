/** The change of one configuration, read again before anybody writes it: it must start the same servers, behind the gate. */
import { TollgateError } from '../model/errors.ts'
import type { Place } from './clients.ts'
import { type Document, readText } from './document.ts'
import { type Entry, entriesOf } from './entries.ts'
import { type Wrapping, wrap, wrappedOf } from './wrapping.ts'

export interface GatedEntry extends Wrapping {
  readonly entry: Entry
}

export function gatedText({ text: before }: Document, place: Place, gated: readonly GatedEntry[]): string {
  const text = wrap(before, gated)
  const read = readText(text)
  const after = read.fault ? [] : entriesOf(read.document, place.containers)
  if (gated.every((one) => isDone(one, after))) return text
  const what = `the change of \`${place.file}\` is not what it should be`
  throw new TollgateError('config_unwritable', `${what}, so it is not made: please report it`)
}

function isDone({ entry, start, head }: GatedEntry, after: readonly Entry[]): boolean {
  const key = JSON.stringify(entry.path)
  const now = after.find(({ path }) => JSON.stringify(path) === key)
  if (now?.kind !== 'stdio') return false
  const wrapped = wrappedOf(now.start)
  const words = [start.command, ...start.args]
  return JSON.stringify([wrapped?.head, wrapped?.words]) === JSON.stringify([head, words])
}
