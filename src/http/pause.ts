/** A wait that somebody may end before its time. */
import { setTimeout as wait } from 'node:timers/promises'

/** False when it was ended by the signal. Does not keep the process alive. */
export async function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await wait(ms, undefined, { signal, ref: false })
    return true
  } catch (error) {
    if (signal.aborted) return false
    throw error
  }
}
