/** The same gate, and somebody who hears of its calls. Nothing that is heard changes what is decided. */
import type { Gatekeeper } from '../pep/gatekeeper.ts'

export function aroundGate(
  gate: Gatekeeper,
  heard: Pick<Gatekeeper, 'admit' | 'refuse' | 'settle' | 'keptOpen'>,
): Gatekeeper {
  return {
    keptOpen: (decisionId, isOpen) => gate.keptOpen?.(decisionId, isOpen),
    ...heard,
    visible: (target, principal) => gate.visible(target, principal),
    listed: (list) => gate.listed(list),
    onPolicyChange: (listener) => gate.onPolicyChange(listener),
    stopped: (who) => gate.stopped(who),
    onKill: (listener) => gate.onKill(listener),
  }
}
