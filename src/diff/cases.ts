/** When a policy decides in which way: the calls of one target and caller, parted by what decides them. */
import type { Principal } from '../model/call.ts'
import type { Target } from '../model/match.ts'
import type { Space } from './ask.ts'
import { casesOfAll } from './casesOfAll.ts'
import { casesOfFirst } from './casesOfFirst.ts'
import { and, type Formula, or } from './formula.ts'
import type { Side, SideLayer } from './side.ts'

/** Every call is in one of them, and in one alone. */
export interface Cases {
  /** One for each thing that can refuse, or hold. */
  readonly deny: readonly Stop[]
  readonly hold: readonly Stop[]
  readonly allow: Formula
}

/** Something stops the call, and nothing does that is asked before it. */
export interface Stop {
  readonly first: Formula
  /** Nothing else does either: a plainer example, where there is one. */
  readonly alone: Formula
}

export function anyOf(stops: readonly Stop[]): Formula {
  return or(...stops.map(({ first }) => first))
}

function withBoth({ first, alone }: Stop, more: Formula): Stop {
  return { first: and(first, more), alone: and(alone, more) }
}

export interface About {
  readonly target: Target
  readonly principal: Principal
}

export function casesOf(space: Space, { layers }: Side, about: About): Cases {
  return layers.map((layer) => casesOfLayer(space, layer, about)).reduce(stricter)
}

function casesOfLayer(space: Space, { policy, countedAs }: SideLayer, about: About): Cases {
  return policy.strategy === 'all' ? casesOfAll(space, policy, about, countedAs) : casesOfFirst(space, policy, about)
}

/** The most restrictive answer counts, and of those the first. */
function stricter(one: Cases, other: Cases): Cases {
  const oneDoesNotDeny = or(one.allow, anyOf(one.hold))
  const otherDoesNotDeny = or(other.allow, anyOf(other.hold))
  return {
    deny: [...one.deny, ...other.deny.map((stop) => withBoth(stop, oneDoesNotDeny))],
    hold: [
      ...one.hold.map((stop) => withBoth(stop, otherDoesNotDeny)),
      ...other.hold.map((stop) => withBoth(stop, one.allow)),
    ],
    allow: and(one.allow, other.allow),
  }
}
