/** Headers in which a proxy says who calls: believed from the peers that the operator named, refused from all others. */
import { BlockList, isIP } from 'node:net'
import type { Principal } from '../model/call.ts'
import { nameCharsMax } from '../model/limits.ts'
import { nameTrouble } from '../model/message/acts.ts'
import { type Presented, Refused } from './caller.ts'
import { known } from './claims.ts'

/** Names of headers, lower case. */
export interface TrustedHeaders {
  readonly agent?: string
  readonly user?: string
  readonly project?: string
  /** Names with commas between them. */
  readonly groups?: string
  readonly from: Peers
}

/** Addresses of this machine. */
export const loopbackPeers = ['127.0.0.0/8', '::1'] as const

export class Peers {
  readonly #list = new BlockList()

  /** Addresses and networks, as `10.0.0.7` and `10.0.0.0/8`. Throws on what is neither. */
  constructor(addresses: readonly string[]) {
    for (const text of addresses) {
      const [address = '', bits, ...more] = text.split('/')
      const family = familyOf(address)
      if (family === undefined || more.length > 0) throw new Error('it is no address')
      if (bits === undefined) this.#list.addAddress(address, family)
      else if (/^\d{1,3}$/.test(bits)) this.#list.addSubnet(address, Number(bits), family)
      else throw new Error('it is no network')
    }
  }

  has(address: string | undefined): boolean {
    const plain = address?.replace(/^::ffff:(?=\d+\.)/i, '')
    const family = plain === undefined ? undefined : familyOf(plain)
    return family !== undefined && this.#list.check(plain as string, family)
  }
}

function familyOf(address: string): 'ipv4' | 'ipv6' | undefined {
  const version = isIP(address)
  return version === 4 ? 'ipv4' : version === 6 ? 'ipv6' : undefined
}

/** Undefined when no such header is there. Throws a `Refused`. */
export function principalOfHeaders({ headers, address }: Presented, trusted: TrustedHeaders): Principal | undefined {
  const { from, ...named } = trusted
  const said = Object.entries(named).filter(([, name]) => headers[name] !== undefined)
  if (said.length === 0) return undefined
  if (!from.has(address))
    throw new Refused(
      403,
      `\`${said[0]?.[1]}\` is not believed from your address: leave it out, and show a credential of your own`,
    )
  const { groups, ...names } = Object.fromEntries(said.map(([field, name]) => [field, onlyOf(headers[name], name)]))
  for (const [field, value] of Object.entries(names)) checked(value, named[field as keyof typeof named] as string)
  return known({ ...names, ...(groups !== undefined && { groups: groupsIn(groups, named.groups as string) }) })
}

function onlyOf(values: readonly string[] | undefined, name: string): string {
  const [value, second] = values ?? []
  if (value === undefined || second !== undefined)
    throw new Refused(400, `\`${name}\` stands there twice: it must be there once`)
  return value
}

function checked(value: string, name: string): string {
  const trouble = nameTrouble(name, value, nameCharsMax)
  if (trouble !== undefined) throw new Refused(400, trouble)
  // Bytes of a header have no agreed encoding, and two readings would be two persons.
  if (!/^[\x20-\x7e]*$/.test(value)) throw new Refused(400, `\`${name}\` must be ASCII`)
  return value
}

function groupsIn(text: string, name: string): readonly string[] {
  const groups = text.split(',').map((group) => group.trim())
  return groups.filter((group) => group !== '').map((group) => checked(group, name))
}
