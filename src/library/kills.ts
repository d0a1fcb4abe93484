/** What a program says to the kill switch, checked: what is misspelt must not stop something else, or nothing. */
import { TollgateError } from '../model/errors.ts'
import { killKinds, type KillTarget as Target } from '../model/kill.ts'
import type { KillSaid as Said } from '../pep/kills.ts'
import type { KillSaid, KillTarget } from './types.ts'

/** Throws `kill_invalid`. */
export function killTargetOf(target: KillTarget): Target {
  const [[kind, name] = ['', undefined], ...others] = Object.entries((target ?? {}) as Record<string, unknown>)
  const known = killKinds.find((one) => one === kind)
  const right = known === 'all' ? name === true : typeof name === 'string'
  if (known === undefined || !right || others.length > 0)
    throw new TollgateError('kill_invalid', `say what to stop: one of ${killKinds.join(', ')}`)
  return { kind: known, name: known === 'all' ? '' : (name as string) }
}

/** Throws `kill_invalid`. */
export function saidOf(said: KillSaid): Said {
  const { by, reason } = (said ?? {}) as Partial<KillSaid>
  if (typeof by !== 'string' || (reason !== undefined && typeof reason !== 'string'))
    throw new TollgateError('kill_invalid', 'say who stops it with `by`, and why with `reason`, each as a text')
  return { by: { name: by, known_by: 'program' }, ...(reason !== undefined && { reason }) }
}
