/** When a place is asked again. Chance spreads gates that started together; it comes in by the door, so that a test can say it. */
import { pollMsMin, retryMs } from './limits.ts'
import type { Rhythm } from './source.ts'

/** Anywhere between the bounds. */
export function pollDelayMs({ minMs, maxMs }: Rhythm, chance: number): number {
  return minMs + (maxMs - minMs) * chance
}

/** Longer after each failure, up to what is waited without one; a fifth more or less. A server may ask for more patience. */
export function retryDelayMs(failures: number, { maxMs }: Rhythm, chance: number, retryAfterMs = 0): number {
  const delay = Math.round(Math.min(maxMs, retryMs * 1.6 ** failures) * (0.8 + 0.4 * chance))
  return Math.max(delay, Math.min(retryAfterMs, Math.max(maxMs, pollMsMin)))
}
