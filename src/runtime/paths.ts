/** Where Tollgate keeps what it keeps (XDG Base Directory Specification 0.8; the platform's own folders elsewhere). */
import { homedir } from 'node:os'
import { join } from 'node:path'

/** `$TOLLGATE_LEDGER`, else `ledger.db` in the user's state folder. */
export function defaultLedgerFile(): string {
  return process.env['TOLLGATE_LEDGER'] || join(stateFolder(), 'ledger.db')
}

function stateFolder(): string {
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Application Support', 'tollgate')
  if (process.platform === 'win32') return join(process.env['LOCALAPPDATA'] || homedir(), 'tollgate')
  return join(process.env['XDG_STATE_HOME'] || join(homedir(), '.local', 'state'), 'tollgate')
}
