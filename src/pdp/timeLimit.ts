/** Work that must come to an end: a time limit of Node's for scripts ends WebAssembly too, wherever it is. */
import { createContext, Script } from 'node:vm'

/** Work under the limit ends with its result, or throws: also when its time is over. It costs a thread each time. */
export function endsWithin(msMax: number): <T>(work: () => T) => T {
  const door: { work?: () => unknown } = createContext({})
  const script = new Script('work()')
  return <T>(work: () => T): T => {
    door.work = work
    try {
      return script.runInContext(door, { timeout: msMax }) as T
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException | null)?.code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw cause
      throw new Error(`it does not come to an end within ${msMax} ms`, { cause })
    } finally {
      delete door.work
    }
  }
}
