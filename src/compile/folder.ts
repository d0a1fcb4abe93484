// Where compiled policies are kept between runs: the user's cache folder.
import { homedir } from 'node:os'
import { join } from 'node:path'

export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly platform: NodeJS.Platform
  readonly home: string
}

export function cacheFolder({ env, platform, home }: Surroundings = here()): string {
  const chosen = env['TOLLGATE_CACHE_DIR']
  if (chosen !== undefined && chosen !== '') return chosen
  return join(userCacheFolder({ env, platform, home }), 'tollgate')
}

function userCacheFolder({ env, platform, home }: Surroundings): string {
  if (platform === 'win32') return env['LOCALAPPDATA'] || join(home, 'AppData', 'Local')
  const xdg = env['XDG_CACHE_HOME']
  if (xdg?.startsWith('/')) return xdg // the specification: a relative path is ignored
  return platform === 'darwin' ? join(home, 'Library', 'Caches') : join(home, '.cache')
}

function here(): Surroundings {
  return { env: process.env, platform: process.platform, home: homedir() }
}
