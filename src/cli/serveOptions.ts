/** The command line of `tollgate serve`: addresses, names and servers, with every mistake told before anything starts. */
import { hostName, isLoopback, loopbackNames, type Names } from '../http/hosts.ts'
import type { Command } from '../mcp/child.ts'
import { durationMs, durationText } from '../policy/durations.ts'
import type { AdmissionOptions } from './admission.ts'
import { UsageError } from './exit.ts'
import type { GateOptions } from './openedGate.ts'
import type { CredentialOptions } from './serveSettings.ts'

export interface ServeOptions extends GateOptions, AdmissionOptions, CredentialOptions {
  readonly listen: string
  readonly upstream?: readonly string[]
  readonly allowHost?: readonly string[]
  readonly allowOrigin?: readonly string[]
  readonly timeout: string
  /** The file with settings. */
  readonly settings?: string
  readonly jwtIssuer?: string
  readonly jwtAudience?: readonly string[]
  readonly jwks?: string
  readonly apiKeys?: readonly string[]
  readonly tlsCert?: string
  readonly tlsKey?: string
  readonly clientCa?: string
  readonly publicUrl?: string
}

export interface Address {
  readonly host: string
  readonly port: number
}

/** `PORT`, `HOST:PORT` or `[IPv6]:PORT`; without a host this machine alone can connect. */
export function addressOf({ listen, allowHost = [] }: ServeOptions): Address {
  const address = addressIn(listen)
  if (address === undefined)
    throw new UsageError(`\`--listen\` takes PORT or HOST:PORT, as in \`127.0.0.1:8717\`, got \`${listen}\``)
  const { host, port } = address
  if (!isLoopback(host) && allowHost.length === 0)
    throw new UsageError(
      `\`${host}\` is reached from other machines: say by which names they call the gate with \`--allow-host NAME\``,
    )
  return { host, port }
}

/** Undefined for what is no address. */
export function addressIn(text: string): Address | undefined {
  const [, bracketed, plain, port = ''] = /^(?:(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+)):)?(\d{1,5})$/.exec(text) ?? []
  if (port === '' || Number(port) > 65_535) return undefined
  return { host: bracketed ?? plain ?? '127.0.0.1', port: Number(port) }
}

export function isOrigin(text: string): boolean {
  return /^https?:\/\/[^/]+$/i.test(text)
}

export function namesOf({ host }: Address, { allowHost = [], allowOrigin = [] }: ServeOptions): Names {
  for (const name of allowHost)
    if (hostName(name) !== name.toLowerCase())
      throw new UsageError(`\`--allow-host\` takes a host name or an address without a port, got \`${name}\``)
  for (const origin of allowOrigin)
    if (!isOrigin(origin))
      throw new UsageError(`\`--allow-origin\` takes an origin like \`https://example.com\`, got \`${origin}\``)
  const own = host.includes(':') ? `[${host}]` : host
  return {
    hosts: new Set([...loopbackNames, own, ...allowHost].map((name) => name.toLowerCase())),
    origins: new Set(allowOrigin.map((origin) => origin.toLowerCase())),
  }
}

/** A server behind the gate: where callers reach it, how policies call it, where it is or how it is started. */
export interface Target {
  readonly path: string
  readonly server: string | undefined
  readonly upstream: URL | Command
}

/** One server at `/mcp`, or each at a path of its name. */
export function targetsOf([command, ...args]: readonly string[], options: ServeOptions): readonly Target[] {
  const { upstream = [], server } = options
  if (command !== undefined) {
    if (upstream.length > 0)
      throw new UsageError('the server behind the gate is a command after `--`, or has a URL in `--upstream`: not both')
    return [{ path: '/mcp', server, upstream: { command, args } }]
  }
  const targets = upstream.map((text): Target => {
    const [, name, address = text] = /^([A-Za-z0-9][A-Za-z0-9._-]*)=(.*)$/s.exec(text) ?? []
    return { path: name === undefined ? '/mcp' : `/${name}/mcp`, server: name ?? server, upstream: urlOf(address) }
  })
  if (targets.length > 1 && targets.some(({ path }) => path === '/mcp'))
    throw new UsageError('several servers need a name each: `--upstream NAME=URL`')
  if (server !== undefined && targets.some(({ path }) => path !== '/mcp'))
    throw new UsageError('`--server` names the one server that has no name in `--upstream`')
  const twice = targets.find(({ path }, index) => targets.findIndex((one) => one.path === path) !== index)
  if (twice !== undefined) throw new UsageError(`two servers are named \`${twice.server}\``)
  return targets
}

/** Users and passwords would stand in lists of processes, and in files that are no secrets. */
export function isServerUrl(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined
  return url !== undefined && /^https?:$/.test(url.protocol) && url.username === '' && url.password === ''
}

/** The URL of an MCP server. */
export function urlOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw new UsageError(
      `\`--upstream\` takes the URL of an MCP server, as in \`http://127.0.0.1:3000/mcp\`, got \`${text}\``,
    )
  if (url.username !== '' || url.password !== '')
    throw new UsageError('`--upstream` takes no user and no password: they would stand in lists of processes')
  return url
}

export const timeoutMsMax = 24 * 60 * 60_000

/** How long a server may be silent while it owes an answer. */
export function silenceOf(text: string): number {
  const ms = durationMs(text)
  if (ms !== undefined && ms > 0 && ms <= timeoutMsMax) return ms
  throw new UsageError(`\`--timeout\` must be a duration like \`30s\` or \`5m\`, at most ${durationText(timeoutMsMax)}`)
}
