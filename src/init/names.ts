/** What a server is called in policies and records, and where its policy is kept. */
import { createHash } from 'node:crypto'
import { serverNameTrouble } from '../scan/keys.ts'
import type { Place } from './clients.ts'
import type { Entry } from './entries.ts'

/** The name of the entry, where a policy can have it. */
export function serverName(name: string): string {
  if (serverNameTrouble(name) === undefined) return name
  const plain = name
    .replace(/[^\p{L}\p{N}._ -]/gu, '-')
    .trim()
    .slice(0, 100)
  return serverNameTrouble(plain) === undefined ? plain : 'server'
}

/** Where an entry stands, where that is not the file that its client has for the user. */
export interface Scope {
  readonly title: string
  /** Tells it from others of the same title. */
  readonly whole: string
}

/** Undefined for the file that the client has for the user. */
export function scopeOf(place: Place, entry: Entry): Scope | undefined {
  const project = entry.project ?? place.project
  if (project === undefined && place.main) return undefined
  const title = (project ?? place.file).split(/[/\\]/).at(-1) ?? ''
  return { title, whole: JSON.stringify([place.file, project ?? null]) }
}

/** The policy of a server below the folder of policies: the same for the same entry, whatever else there is. */
export function policyPath(client: Place['client'], scope: Scope | undefined, name: string): readonly string[] {
  const folder = scope === undefined ? [] : [fileName(scope.title, scope.whole)]
  return [
    client,
    ...folder,
    `${fileName(name, /^[a-z0-9][a-z0-9._-]*$/.test(name) && name.length <= 60 ? undefined : name)}.yaml`,
  ]
}

/** `whole`: what the name stands for, when the name alone does not tell it from others. */
function fileName(name: string, whole: string | undefined): string {
  const plain = name
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[.-]+/, '')
    .slice(0, 60)
  const mark = whole === undefined ? [] : [createHash('sha256').update(whole).digest('hex').slice(0, 8)]
  return [...(plain === '' ? [] : [plain]), ...mark].join('-')
}
