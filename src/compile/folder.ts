// Where compiled policies are kept between runs: the user's cache folder.
import { homedir } from 'node:os'
import { type Surroundings, userFolder } from '../model/userFolders.ts'

export function cacheFolder(surroundings: Surroundings = here()): string {
  return surroundings.env['TOLLGATE_CACHE_DIR'] || userFolder('cache', surroundings)
}

function here(): Surroundings {
  return { env: process.env, platform: process.platform, home: homedir() }
}
