/** Waits of tests for what other processes do: for the thing itself, and bounded, so that what never comes has a name. */
import { setTimeout as sleep } from 'node:timers/promises'

const waitMsMax = 60_000

/** Resolves once `holds` gives something true; rejects with what never came. */
export async function until(holds: () => unknown, what: string): Promise<void> {
  for (const start = Date.now(); !(await holds()); await sleep(20))
    if (Date.now() - start > waitMsMax) throw new Error(`it never came: ${what}`)
}

/** What a server that is still starting answers by now; undefined while nobody listens there, which is no fault yet. */
export async function reached(url: string | URL): Promise<Response | undefined> {
  try {
    return await fetch(url)
  } catch {
    return undefined
  }
}
