/** Who types: the user of the operating system, or the name after `--as`. */
import { userInfo } from 'node:os'
import type { Approver } from '../model/approval.ts'

export function personOf(as: string | undefined): Approver {
  const { username } = userInfo()
  return { name: as ?? username, known_by: as === undefined ? 'os_user' : 'command_line', os_user: username }
}
