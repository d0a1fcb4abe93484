/** From the claims of a token that was verified to a principal. What is claimed oddly is refused, never passed over. */
import type { Principal } from '../model/call.ts'
import type { Json } from '../model/canonical.ts'
import { messageOf } from '../model/errors.ts'
import { valueAt } from '../model/input.ts'
import { nameCharsMax } from '../model/limits.ts'
import { nameTrouble } from '../model/message/acts.ts'
import type { Path } from '../model/policy.ts'
import { pathText } from '../model/policy.ts'
import { principalOf } from '../model/principal.ts'
import { invalidToken, Refused } from './caller.ts'

export type Claims = { readonly [claim: string]: Json }

/** Where in the claims each part of a principal stands: the first of the paths at which something does. */
export interface ClaimMapping {
  readonly agent: readonly Path[]
  readonly user: readonly Path[]
  readonly project: readonly Path[]
  readonly groups: readonly Path[]
  /** Claims that are kept as they are, by their names. */
  readonly keep: readonly string[]
}

/** What tokens of OAuth say without being asked to. */
export const defaultMapping: ClaimMapping = {
  agent: [['azp'], ['client_id']],
  user: [['sub']],
  project: [],
  groups: [['groups']],
  keep: [],
}

/** Throws a `Refused`. */
export function principalOfClaims(claims: Claims, mapping: ClaimMapping): Principal {
  const agent = nameIn(claims, mapping.agent)
  const user = nameIn(claims, mapping.user)
  const project = nameIn(claims, mapping.project)
  const groups = groupsIn(claims, mapping.groups)
  const kept = mapping.keep.flatMap((name) => (Object.hasOwn(claims, name) ? [[name, claims[name] as Json]] : []))
  return known({
    ...(agent !== undefined && { agent }),
    ...(user !== undefined && { user }),
    ...(project !== undefined && { project }),
    ...(groups !== undefined && { groups }),
    ...(mapping.keep.length > 0 && { claims: Object.fromEntries(kept) }),
  })
}

/** A principal that names somebody, within its limits. Throws a `Refused`. */
export function known(principal: Principal): Principal {
  if (principal.agent === undefined && principal.user === undefined)
    throw new Refused(403, 'what was shown names neither an agent nor a user: the gate must be told where they stand')
  try {
    return principalOf(principal)
  } catch (error) {
    throw new Refused(403, `what was shown says more of the caller than the gate takes: ${messageOf(error)}`)
  }
}

function nameIn(claims: Claims, paths: readonly Path[]): string | undefined {
  const [path, value] = firstOf(claims, paths) ?? []
  return path && nameOf(pathText(path), value)
}

function groupsIn(claims: Claims, paths: readonly Path[]): readonly string[] | undefined {
  const [path, value] = firstOf(claims, paths) ?? []
  if (path === undefined) return undefined
  const groups = Array.isArray(value) ? value : [value]
  return groups.map((group: Json) => nameOf(pathText(path), group))
}

function firstOf(claims: Claims, paths: readonly Path[]): readonly [Path, Json] | undefined {
  for (const path of paths) {
    const value = valueAt(claims, path)
    if (value !== undefined && value !== null) return [path, value]
  }
  return undefined
}

function nameOf(place: string, value: Json | undefined): string {
  const trouble = nameTrouble(place, value, nameCharsMax)
  if (trouble !== undefined) throw invalidToken(`a claim of the token is no name: ${trouble}`)
  return value as string
}
