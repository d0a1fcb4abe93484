/** Where the ledger and the kept bundles are, unless somebody names it. */
import { homedir } from 'node:os'
import { join } from 'node:path'
import { type Surroundings, userFolder } from '../model/userFolders.ts'

/** `$TOLLGATE_LEDGER`, else `ledger.db` in the user's state folder. */
export function defaultLedgerFile(surroundings: Surroundings = here()): string {
  return surroundings.env['TOLLGATE_LEDGER'] || join(userFolder('state', surroundings), 'ledger.db')
}

/** `bundles` in the user's state folder. */
export function defaultBundleStore(surroundings: Surroundings = here()): string {
  return join(userFolder('state', surroundings), 'bundles')
}

function here(): Surroundings {
  return { env: process.env, platform: process.platform, home: homedir() }
}
