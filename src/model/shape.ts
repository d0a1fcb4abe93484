/** Which parts of the arguments a policy reads, and which members it knows by name. */
import { foldedKey } from './message/folding.ts'
import { sortedEntries } from './order.ts'
import type { Condition, Path } from './policy.ts'

/** What the policy reads at one place of the arguments. */
export interface Shape {
  /** Members that are read, if the value is an object. */
  readonly fields: ReadonlyMap<string, Shape>
  /** What is read of each element, if the value is an array; absent: only how many there are. */
  readonly elements?: Shape
  /** Is the value itself read, not only what lies below it? */
  readonly read: boolean
  /** Nobody knows which parts are read: it is read as it is. */
  readonly whole?: true
  /** A member of this name, null, stands for any others that there are; absent: nobody asks. */
  readonly closed?: string
}

/** The members that the policy knows by name, whatever it knows them for. */
export interface Names {
  readonly fields: ReadonlyMap<string, Names>
  /** Their names as a parser compares them that ignores letter case. */
  readonly folded: ReadonlySet<string>
  readonly elements?: Names
}

/** A shape that is being put together. */
export interface Builder {
  fields: Map<string, Builder>
  elements?: Builder
  read: boolean
  /** Is it asked whether there are other members than these? */
  closed?: boolean
}

export function namesOf({ fields, elements }: Builder): Names {
  return {
    fields: new Map([...fields].map(([key, below]) => [key, namesOf(below)])),
    folded: new Set([...fields.keys()].map((key) => foldedKey(key, false))),
    ...(elements && { elements: namesOf(elements) }),
  }
}

export const newBuilder = (): Builder => ({ fields: new Map(), read: false })

export function addCondition(root: Builder, { path, test }: Condition): void {
  const place = at(root, path)
  place.read = true
  if (test.kind === 'contains') {
    place.elements ??= newBuilder()
    place.elements.read = true
  }
  if (test.kind !== 'each' && test.kind !== 'any') return
  place.elements ??= newBuilder()
  for (const condition of test.conditions) addCondition(place.elements, condition)
}

export function at(root: Builder, path: Path): Builder {
  let place = root
  for (const key of path) {
    const next = place.fields.get(key) ?? newBuilder()
    place.fields.set(key, next)
    place = next
  }
  return place
}

export function inOrder({ fields, elements, read, closed }: Builder): Shape {
  return {
    fields: new Map(sortedEntries(fields).map(([key, below]) => [key, inOrder(below)])),
    ...(elements && { elements: inOrder(elements) }),
    read,
    ...(closed && { closed: freeName(fields) }),
  }
}

/** A name that no field has. */
export function freeName(fields: ReadonlyMap<string, unknown>): string {
  let name = '_'
  while (fields.has(name)) name += '_'
  return name
}
