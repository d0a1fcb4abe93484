/** What a policy says, item by item, and how often the calls of the tests came to each of them. */
import type { Input } from '../../model/call.ts'
import type { Place } from '../../model/policy.ts'

export interface Item {
  readonly kind: 'rule' | 'entry' | 'default'
  readonly name: string
  readonly place: Place
  /** Covered when some call was decided by it; a requirement also needs a call that met it. */
  readonly covers: 'decided' | 'decided_and_met'
  /** Calls to which it was put. */
  asked: number
  /** Calls that it decided: let through by an entry or a default, refused or held by a rule, or matched by an ordered one. */
  decided: number
  /** Calls that it was put to and that went on. */
  met: number
  readonly branches: readonly Branch[]
}

/** One condition of an item: which of its two answers were there. */
export interface Branch {
  readonly asks: string
  readonly place: Place
  yes: number
  no: number
}

export function isCovered({ covers, decided, met }: Item): boolean {
  return decided > 0 && (covers === 'decided' || met > 0)
}

/** What an item still lacks, in words. */
export function lackOf(item: Item): string {
  const { kind, asked, decided } = item
  if (asked === 0) return 'no call came to it'
  if (decided > 0) return 'no call met it'
  if (kind === 'rule') return item.covers === 'decided' ? 'it decided no call' : 'it refused no call'
  return 'it let no call through'
}

export function newItem(
  said: Pick<Item, 'kind' | 'name' | 'place'> & {
    readonly covers?: Item['covers']
    readonly branches?: readonly Branch[]
  },
): Item {
  return { covers: 'decided', branches: [], ...said, asked: 0, decided: 0, met: 0 }
}

export function newBranch(asks: string, place: Place): Branch {
  return { asks, place, yes: 0, no: 0 }
}

/** Items of one policy, and who counts in them. */
export interface Tally {
  readonly items: readonly Item[]
  /** A call that was judged, as its input document. */
  saw(input: Input): void
}
