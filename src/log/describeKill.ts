/** What the records of the kill switch say: what is stopped, or is so no longer, who said so, and why. */
import type { KillEvent } from '../model/event.ts'
import { type Kill, killMembers } from '../model/kill.ts'

export function killEventMembers(event: KillEvent): object {
  const { id, target, decision_id } = event.kill
  const about = { kill_id: id, target: target.kind, ...killMembers(target) }
  if (event.kind === 'lift') return { ...about, ...saidMembers(event) }
  if (event.again) return { ...about, again: true, ...saidMembers(event.again) }
  return { decision_id, ...about, ...saidMembers(event.kill) }
}

function saidMembers({ by, reason }: Pick<Kill, 'by' | 'reason'>): object {
  return {
    said_by: by?.name ?? 'policy',
    said_by_known_by: by?.known_by ?? 'policy',
    said_by_os_user: by?.os_user,
    reason,
  }
}
