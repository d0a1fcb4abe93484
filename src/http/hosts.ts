/**
 * Who may ask at all, by the names in `Host` and `Origin`: a web page that makes its name point to this machine (DNS
 * rebinding) comes with names of its own.
 */

/** Names of this machine that no one else can hold. */
export const loopbackNames = ['localhost', '127.0.0.1', '[::1]'] as const

export interface Names {
  /** Host names and addresses by which the gate is called, lower case, without a port. */
  readonly hosts: ReadonlySet<string>
  /** Origins of web pages that may call it, beside those of the loopback names, which may have any port. */
  readonly origins: ReadonlySet<string>
}

const authority = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?$/

/** The name in a `Host` header; undefined for what is none. */
export function hostName(host: string | undefined): string | undefined {
  return authority.exec(host?.toLowerCase() ?? '')?.[1]
}

export function isKnownHost(host: string | undefined, { hosts }: Names): boolean {
  const name = hostName(host)
  return name !== undefined && hosts.has(name)
}

/** Programs send no `Origin`; browsers always do, and `null` is none that could be known. */
export function isKnownOrigin(origin: string | undefined, { origins }: Names): boolean {
  if (origin === undefined || origins.has(origin.toLowerCase())) return true
  const [, name] = /^https?:\/\/(.+)$/.exec(origin.toLowerCase()) ?? []
  const host = hostName(name)
  return host !== undefined && (loopbackNames as readonly string[]).includes(host)
}

/** Can this address be reached from this machine alone? */
export function isLoopback(address: string): boolean {
  return address === 'localhost' || address === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(address)
}
