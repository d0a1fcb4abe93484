/**
 * A discovery bundle: which bundles a gate takes, and who is told, as the configuration of an OPA says it. What it says of
 * keys and credentials counts for nothing: those come with the gate, and not with what they prove.
 */
import type { Json } from '../model/canonical.ts'
import { TollgateError } from '../model/errors.ts'
import { isObject } from '../model/message/json.ts'
import { type Bundle, fileAt } from '../opa/bundle.ts'
import { dataPath, kindOf } from '../opa/files.ts'
import { readValue } from '../opa/json.ts'
import { pollMsMax, pollMsMin, waitMsMax } from './limits.ts'
import { type Place, placeIn } from './places.ts'
import type { Rhythm } from './source.ts'

export interface DiscoveredBundle {
  readonly name: string
  readonly place: Place
  readonly rhythm?: Rhythm
  readonly waitMs?: number
}

export interface Discovered {
  readonly bundles: readonly DiscoveredBundle[]
  readonly statusUrl?: URL
}

type Members = { readonly [key: string]: Json }

/** Throws `discovery_invalid`. */
export function discoveredIn(bundle: Bundle): Discovered {
  const config = configIn(bundle)
  const services = servicesIn(config['services'])
  const wanted = membersOf(config['bundles'], '`bundles`')
  const bundles = Object.entries(wanted).map(([name, source]) =>
    bundleIn(name, membersOf(source, `\`bundles.${name}\``), services),
  )
  if (bundles.length === 0) throw invalid('`bundles` names none')
  const { status } = config
  return { bundles, ...(status !== undefined && { statusUrl: statusUrlIn(membersOf(status, '`status`'), services) }) }
}

/** `data.discovery` where it is there, else all of the data. Rego that computes it is not asked. */
function configIn({ files }: Bundle): Members {
  const rego = files.find(({ path }) => kindOf(path) === 'rego')
  if (rego) throw invalid(`\`${rego.path}\` is Rego, and a gate reads the data alone`)
  const read = (path: string) => {
    const file = fileAt(files, path)
    return file && readValue(path, file.bytes)
  }
  const data = membersOf(read(dataPath) ?? {}, 'the data')
  return membersOf(read(`discovery/${dataPath}`) ?? data['discovery'] ?? data, 'the data')
}

interface Service {
  readonly url: URL
  readonly isRegistry: boolean
}

type Services = ReadonlyMap<string, Service>

/** OPA takes a map by names, and a list of services that have one. */
function servicesIn(written: Json | undefined): Services {
  const named = Array.isArray(written)
    ? written.map((one: Json) => [String(membersOf(one, '`services`')['name']), one] as const)
    : Object.entries(membersOf(written ?? {}, '`services`'))
  return new Map(
    named.map(([name, one]) => {
      const { url, type } = membersOf(one, `\`services.${name}\``)
      const place = typeof url === 'string' ? placeIn(url) : undefined
      if (place?.kind !== 'http') throw invalid(`\`services.${name}.url\` is no URL without user and password`)
      return [name, { url: place.url, isRegistry: type === 'oci' }]
    }),
  )
}

function bundleIn(name: string, source: Members, services: Services): DiscoveredBundle {
  const service = serviceOf(`bundles.${name}`, source['service'], services)
  const { resource = `bundles/${name}`, polling } = source
  const place = typeof resource === 'string' ? placeOf(service, resource) : undefined
  if (!place) throw invalid(`\`bundles.${name}.resource\` is no path of a bundle, and no image`)
  return {
    name,
    place,
    ...(polling !== undefined && pollingIn(name, membersOf(polling, `\`bundles.${name}.polling\``))),
  }
}

/** One service needs no name. */
function serviceOf(who: string, name: Json | undefined, services: Services): Service {
  const [only] = services.values()
  const found = typeof name === 'string' ? services.get(name) : services.size === 1 ? only : undefined
  return found ?? invalidly(`\`${who}.service\` names no service`)
}

function placeOf({ url, isRegistry }: Service, resource: string): Place | undefined {
  if (!isRegistry) return placeIn(below(url, resource))
  const place = placeIn(`oci://${resource}`)
  return place?.kind === 'oci' && place.registry === url.host ? place : undefined
}

function below(url: URL, path: string): string {
  return `${url.href.replace(/\/+$/, '')}/${path.replace(/^\/+/, '')}`
}

function pollingIn(name: string, polling: Members): Pick<DiscoveredBundle, 'rhythm' | 'waitMs'> {
  const msOf = (key: string, least: number, most: number) => {
    const seconds = polling[key]
    if (seconds === undefined) return undefined
    const ms = typeof seconds === 'number' ? seconds * 1_000 : Number.NaN
    return ms >= least && ms <= most
      ? ms
      : invalidly(`\`bundles.${name}.polling.${key}\` is not within ${least / 1_000} and ${most / 1_000}`)
  }
  const minMs = msOf('min_delay_seconds', pollMsMin, pollMsMax)
  const maxMs = msOf('max_delay_seconds', pollMsMin, pollMsMax)
  const waitMs = msOf('long_polling_timeout_seconds', pollMsMin, waitMsMax)
  if ((minMs === undefined) !== (maxMs === undefined) || (minMs ?? 0) > (maxMs ?? 0))
    throw invalid(`\`bundles.${name}.polling\` has no \`min_delay_seconds\` below its \`max_delay_seconds\``)
  return {
    ...(minMs !== undefined && maxMs !== undefined && { rhythm: { minMs, maxMs } }),
    ...(waitMs !== undefined && { waitMs }),
  }
}

function statusUrlIn({ service, partition_name: partition }: Members, services: Services): URL {
  const { url } = serviceOf('status', service, services)
  return new URL(below(url, typeof partition === 'string' ? `status/${encodeURIComponent(partition)}` : 'status'))
}

function membersOf(value: Json | undefined, name: string): Members {
  return value !== undefined && isObject(value) ? value : invalidly(`${name} is no object`)
}

function invalidly(why: string): never {
  throw invalid(why)
}

function invalid(why: string): TollgateError {
  return new TollgateError('discovery_invalid', `the discovery bundle says no bundles that could be taken: ${why}`)
}
