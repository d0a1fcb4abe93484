/** Where a user's programs keep things (XDG Base Directory Specification 0.8; the platform's own folders elsewhere). */

export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly platform: NodeJS.Platform
  readonly home: string
}

/** `cache`: what can be made again. `state`: what must survive. */
export type UserFolder = 'cache' | 'state'

const belowHome = {
  darwin: { cache: 'Library/Caches', state: 'Library/Application Support' },
  others: { cache: '.cache', state: '.local/state' },
} as const

/** Our folder among them. */
export function userFolder(kind: UserFolder, { env, platform, home }: Surroundings): string {
  if (platform === 'win32') return `${env['LOCALAPPDATA'] || `${home}\\AppData\\Local`}\\tollgate`
  const chosen = kind === 'cache' ? env['XDG_CACHE_HOME'] : env['XDG_STATE_HOME']
  // The specification: a relative path is ignored. It would be another folder wherever a program is started.
  if (chosen?.startsWith('/')) return `${chosen.replace(/\/+$/, '')}/tollgate`
  return `${home}/${belowHome[platform === 'darwin' ? 'darwin' : 'others'][kind]}/tollgate`
}
