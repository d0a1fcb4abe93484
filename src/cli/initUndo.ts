/** Takes the gate off the servers that `init` has put one before. Policies and backups stay. */
import { difference } from '../init/difference.ts'
import { type Undone, undone } from '../init/undo.ts'
import { wrappedEntries } from '../init/wrapping.ts'
import { TollgateError } from '../model/errors.ts'
import { counted } from '../scan/comments.ts'
import { agree } from './initAsk.ts'
import { backupsOf, keepBackup, replaceConfigFile } from './initFiles.ts'
import { type Config, named } from './initFind.ts'
import type { FileReport, ServerReport, Status } from './initReport.ts'

export interface UndoOptions {
  readonly dryRun: boolean
  readonly ask: boolean
}

export async function undoAll(configs: readonly Config[], options: UndoOptions): Promise<readonly FileReport[]> {
  const works = configs.map((config) => ({ config, result: undoneIn(config) }))
  const count = works.reduce((sum, { result }) => sum + result.entries.length, 0)
  const refused = options.ask && count > 0 && !(await agree(`Take the gate off ${counted(count, 'server')}?`))
  return works
    .map(({ config, result }) => (refused ? reportOf(config, result, 'not_chosen') : done(config, result, options)))
    .filter(({ servers }) => servers.length > 0)
}

function undoneIn({ config, document, entries, place }: Config): Undone {
  const keys = new Set(entries.map(({ path }) => JSON.stringify(path)))
  const chosen = ({ path }: { readonly path: readonly string[] }) => keys.has(JSON.stringify(path))
  const backups = backupsOf(config).map((bytes) => bytes.toString('utf8'))
  return undone(document, place.containers, chosen, backups)
}

function done(config: Config, result: Undone, { dryRun }: UndoOptions): FileReport {
  const { place, document } = config
  if (result.entries.length === 0) return reportOf(config, result, 'unwrapped')
  if (dryRun) {
    const diff = difference(place.file, document.text, result.text, place.containers)
    return { ...reportOf(config, result, 'would_unwrap'), diff }
  }
  try {
    // What is put back from a backup can be had again; an edit of somebody's cannot.
    const kept = backupsOf(config.config).some((bytes) => bytes.equals(Buffer.from(result.text)))
    const backup = kept ? undefined : keepBackup(config.config)
    replaceConfigFile(config.config, result.text)
    return { ...reportOf(config, result, 'unwrapped'), ...(backup !== undefined && { backup }) }
  } catch (error) {
    if (!(error instanceof TollgateError)) throw error
    return reportOf(config, result, 'failed', error)
  }
}

function reportOf({ place, entries }: Config, result: Undone, status: Status, error?: TollgateError): FileReport {
  const off = new Set(result.entries.map(({ path }) => JSON.stringify(path)))
  const servers = wrappedEntries(entries).map(({ entry }): ServerReport => {
    const { name: server, project, path } = entry
    const one = { server, ...(project !== undefined && { project }) }
    if (!off.has(JSON.stringify(path))) return { ...one, status: 'already_wrapped', message: 'by hand: left as it is' }
    return { ...one, status, ...(error && { code: error.code, message: error.message }) }
  })
  return { ...named(place), servers }
}
