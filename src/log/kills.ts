/** What is stopped as people and programs read it. `docs/kill.md` is the table of its members. */
import { type Kill, type KillKind, killMembers } from '../model/kill.ts'

export interface KillView extends ReturnType<typeof killMembers> {
  readonly id: string
  readonly target: KillKind
  /** RFC 3339, UTC, milliseconds. */
  readonly since: string
  /** `policy` where a policy did it. */
  readonly said_by: string
  readonly said_by_known_by: string
  readonly said_by_os_user: string | null
  readonly reason: string | null
  /** The decision that did it; null where a person did. */
  readonly decision_id: string | null
}

export function killView({ id, target, at, by, decision_id, reason }: Kill): KillView {
  return {
    id,
    target: target.kind,
    ...killMembers(target),
    since: new Date(at).toISOString(),
    said_by: by?.name ?? 'policy',
    said_by_known_by: by?.known_by ?? 'policy',
    said_by_os_user: by?.os_user ?? null,
    reason: reason ?? null,
    decision_id: decision_id ?? null,
  }
}
