/** A principal from what an operator's program says of a caller. */
import type { Principal } from './call.ts'
import { canonical, type Json } from './canonical.ts'
import { claimsCharsMax, groupsMax, nameCharsMax } from './limits.ts'
import { nameTrouble } from './message/acts.ts'
import { quoted } from './message/quoted.ts'

export const principalKeys = ['agent', 'user', 'project', 'groups', 'claims'] as const satisfies (keyof Principal)[]

const names = ['agent', 'user', 'project'] as const

/** Throws an `Error` that says what is wrong. */
export function readPrincipal(value: Json | undefined): Principal {
  const said = objectOf(value, 'principal')
  const unknown = Object.keys(said).find((key) => !(principalKeys as readonly string[]).includes(key))
  if (unknown !== undefined) throw new Error(`unknown key ${quoted(unknown)} in \`principal\``)
  const known = names.flatMap((key) => (said[key] === undefined ? [] : [[key, nameOf(key, said[key])] as const]))
  const { groups, claims } = said
  return principalOf({
    ...Object.fromEntries(known),
    ...(groups !== undefined && { groups: groupsOf(groups) }),
    ...(claims !== undefined && { claims: objectOf(claims, 'claims') }),
  })
}

/**
 * Bounded, its groups each once and sorted: the same caller is the same text. Its members stand in the order of canonical
 * JSON. Throws an `Error` that says what is too much.
 */
export function principalOf({ agent, claims, groups, project, user }: Principal): Principal {
  if (groups !== undefined && groups.length > groupsMax) throw new Error(`\`groups\` has more than ${groupsMax} groups`)
  if (claims !== undefined && canonical(claims).length > claimsCharsMax)
    throw new Error(`\`claims\` has more than ${claimsCharsMax} characters`)
  return {
    ...(agent !== undefined && { agent }),
    ...(claims !== undefined && { claims }),
    ...(groups !== undefined && { groups: [...new Set(groups)].sort() }),
    ...(project !== undefined && { project }),
    ...(user !== undefined && { user }),
  }
}

function objectOf(value: Json | undefined, name: string): { readonly [key: string]: Json } {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error(`\`${name}\` must be an object`)
  return value as { readonly [key: string]: Json }
}

function groupsOf(value: Json): readonly string[] {
  if (!Array.isArray(value)) throw new Error('`groups` must be a list of names')
  return value.map((group: Json) => nameOf('groups', group))
}

function nameOf(key: string, value: Json | undefined): string {
  const trouble = nameTrouble(key, value, nameCharsMax)
  if (trouble !== undefined) throw new Error(trouble)
  return value as string
}
