/**
 * What an orchestrator asks of a gate: does it live, can it decide calls? It asks by an address that no operator knows before,
 * as that of a pod, so the name in `Host` does not matter. The answer is the same for everybody, and tells nothing else.
 */

export interface Probe {
  readonly status: 200 | 503
  readonly text: string
}

/** Undefined for a path that is no probe. `notReady` says why no call can be decided. */
export function probed(path: string, notReady: () => string | undefined): Probe | undefined {
  if (path !== '/healthz' && path !== '/readyz') return undefined
  const missing = path === '/readyz' ? notReady() : undefined
  return { status: missing === undefined ? 200 : 503, text: JSON.stringify({ status: missing ?? 'ok' }) }
}
