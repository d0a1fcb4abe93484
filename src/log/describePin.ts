/** What the records of tool pinning say: which definitions of which tools are accepted from here on, and why. */
import type { PinEvent } from '../model/event.ts'

export function pinEventMembers(event: PinEvent): object {
  const { server, tools } = event
  if (event.kind !== 'accept') {
    const { session, principal, whole } = event
    return { server, tools, session_id: session, principal, whole }
  }
  const { name, known_by, os_user } = event.by
  return {
    server,
    tools,
    said_by: name,
    said_by_known_by: known_by,
    said_by_os_user: os_user,
    reason: event.reason,
  }
}
