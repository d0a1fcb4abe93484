/** Our wrapping taken off again: the bytes from before where nobody has edited the file since, else our words alone. */
import type { Container } from './clients.ts'
import { type Document, readText } from './document.ts'
import { type Entry, entriesOf } from './entries.ts'
import { unwrap, type Wrapping, wrap, wrappedEntries, wrappedOf } from './wrapping.ts'

export interface Undone {
  readonly text: string
  /** Those whose wrapping is off. */
  readonly entries: readonly Entry[]
}

/** `backups` are texts from before; the newest comes first. */
export function undone(
  document: Document,
  containers: readonly Container[],
  chosen: (entry: Entry) => boolean,
  backups: readonly string[],
): Undone {
  const ours = wrappedEntries(entriesOf(document, containers)).filter(
    ({ entry, wrapped }) => wrapped.ours && chosen(entry),
  )
  const entries = ours.map(({ entry }) => entry)
  if (entries.length === 0) return { text: document.text, entries }
  const heads = new Map(ours.map(({ entry, wrapped }) => [keyOf(entry), wrapped.head]))
  const before = backups.find((backup) => wrappedAgain(backup, containers, heads) === document.text)
  return {
    text:
      before ??
      unwrap(
        document.text,
        ours.map(({ start }) => start),
      ),
    entries,
  }
}

/** A backup is what was there before if wrapping it in the same way gives what is there now. */
function wrappedAgain(
  backup: string,
  containers: readonly Container[],
  heads: ReadonlyMap<string, readonly string[]>,
): string | undefined {
  const { document } = { document: undefined, ...readText(backup) }
  if (!document) return undefined
  const wrappings = entriesOf(document, containers).flatMap((entry): readonly Wrapping[] => {
    const head = heads.get(keyOf(entry))
    if (!head || entry.kind !== 'stdio' || wrappedOf(entry.start)) return []
    return [{ start: entry.start, head }]
  })
  return wrappings.length === heads.size ? wrap(backup, wrappings) : undefined
}

function keyOf({ path }: Entry): string {
  return JSON.stringify(path)
}
