/** How a client starts this Tollgate: by absolute paths, whatever its search path and folder are. */
import { realpathSync } from 'node:fs'
import { delimiter, extname, isAbsolute, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { TollgateError } from '../model/errors.ts'
import { defaultLedgerFile } from '../runtime/paths.ts'

/** Throws `not_installed`. */
export function ownCommand(): { readonly node: string; readonly main: string } {
  const main = fileURLToPath(new URL(`./main${extname(import.meta.url)}`, import.meta.url))
  requireLasting(main)
  return { node: nodePath(), main }
}

/** Throws `not_installed` where Tollgate runs from a cache that may be emptied. */
export function requireLasting(main: string): void {
  if (!/[/\\]_npx[/\\]/.test(main)) return
  const what = 'this Tollgate is in the cache of `npx`, which may be emptied'
  throw new TollgateError('not_installed', `${what}: install it (\`npm install -g tollgate\`) and begin again`)
}

/** A link on the search path stays when Node is updated; what it leads to may be a folder of one version. */
function nodePath(): string {
  const name = process.platform === 'win32' ? 'node.exe' : 'node'
  const real = realPath(process.execPath)
  const found = (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter((folder) => isAbsolute(folder) && !folder.includes('node_modules'))
    .map((folder) => join(folder, name))
    .find((file) => realPath(file) === real)
  return found ?? process.execPath
}

function realPath(file: string): string | undefined {
  try {
    return realpathSync(file)
  } catch {
    return undefined
  }
}

/** The ledger, where it follows variables of this shell that a client may not have. */
export function ledgerOfShell(): string | undefined {
  return process.env['TOLLGATE_LEDGER'] || process.env['XDG_STATE_HOME'] ? defaultLedgerFile() : undefined
}
