// A thread of the compiler's process that ends it when the parent has died, however busy it is.
import { workerData } from 'node:worker_threads'

const pollMs = 1_000
const parentPid: unknown = workerData
if (typeof parentPid !== 'number') throw new TypeError('started by child.ts only')

setInterval(() => {
  if (process.ppid !== parentPid || !isAlive(parentPid)) process.kill(process.pid, 'SIGKILL')
}, pollMs)

/** Where an orphan keeps its parent's number (Windows), asking is the only way to know. */
function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
