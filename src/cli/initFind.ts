/** The configurations on this machine, and the servers in them. */
import { readdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { resolve } from 'node:path'
import { containers, knownPlaces, type Machine, type Place } from '../init/clients.ts'
import { type Document, readBytes } from '../init/document.ts'
import { type Entry, entriesOf } from '../init/entries.ts'
import { TollgateError } from '../model/errors.ts'
import { type ConfigFile, readConfigFile } from './initFiles.ts'
import type { FileReport } from './initReport.ts'

export interface Config {
  readonly place: Place
  readonly config: ConfigFile
  readonly document: Document
  readonly entries: readonly Entry[]
}

export interface Wanted {
  readonly client?: readonly string[]
  readonly config?: readonly string[]
  readonly server?: readonly string[]
}

export function thisMachine(): Machine {
  return { platform: process.platform, home: homedir(), folder: process.cwd(), env: process.env, list: namesIn }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).sort()
  } catch {
    return []
  }
}

export interface Found {
  readonly configs: readonly Config[]
  /** Files that cannot be read. */
  readonly broken: readonly FileReport[]
  /** Where was looked. */
  readonly places: readonly Place[]
}

export function find(machine: Machine, wanted: Wanted): Found {
  const places = placesFor(machine, wanted)
  const configs: Config[] = []
  const broken: FileReport[] = []
  for (const place of places) {
    try {
      const found = readPlace(place, wanted)
      if (found) configs.push(found)
    } catch (error) {
      if (!(error instanceof TollgateError)) throw error
      broken.push({ ...named(place), servers: [], code: error.code, message: error.message })
    }
  }
  requireServers(wanted, configs)
  return { configs, broken, places }
}

/** How a report names a place. */
export function named({ client, file, project }: Place): Pick<FileReport, 'client' | 'file' | 'project'> {
  return { client, file, ...(project !== undefined && { project }) }
}

/** A file that is named by hand and known is read as what it is. */
function placesFor(machine: Machine, { client, config }: Wanted): readonly Place[] {
  const known = knownPlaces(machine).filter(({ file }, at, all) => all.findIndex((one) => one.file === file) === at)
  if (config === undefined) return client ? known.filter((place) => client.includes(place.client)) : known
  const files = [...new Set(config.map((file) => resolve(machine.folder, file)))]
  return files.map((file) => known.find((place) => place.file === file) ?? { client: 'file', file, containers })
}

function readPlace(place: Place, { config: byHand, server }: Wanted): Config | undefined {
  const { file } = place
  const config = readConfigFile(file)
  if (!config) {
    if (byHand) throw new TollgateError('config_unreadable', `\`${file}\` cannot be read: there is no such file`)
    return undefined
  }
  const { document, fault } = { document: undefined, fault: undefined, ...readBytes(config.bytes) }
  if (fault || !document)
    throw new TollgateError('config_malformed', `${file}:${fault?.line}:${fault?.col}: ${fault?.message}`)
  const entries = entriesOf(document, place.containers).filter(({ name }) => !server || server.includes(name))
  return { place, config, document, entries }
}

function requireServers({ server = [] }: Wanted, configs: readonly Config[]): void {
  const there = new Set(configs.flatMap(({ entries }) => entries.map(({ name }) => name)))
  const missing = server.find((name) => !there.has(name))
  if (missing !== undefined)
    throw new TollgateError('server_unknown', `no configuration that was found has a server called \`${missing}\``)
}
