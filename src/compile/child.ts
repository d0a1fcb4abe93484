// The compiler's process: a thread runs the module, this one carries its streams and ends it with the parent.
import { Worker } from 'node:worker_threads'
import { stackMbMax } from './limits.ts'

const extension = import.meta.url.slice(import.meta.url.lastIndexOf('.'))

const guest = new Worker(new URL(`./guest${extension}`, import.meta.url), {
  argv: process.argv.slice(2),
  stdin: true,
  stdout: true,
  stderr: true,
  resourceLimits: { stackSizeMb: stackMbMax },
})
if (guest.stdin === null) throw new TypeError('asked for a stdin and got none')

process.stdin.pipe(guest.stdin)
guest.stdout.pipe(process.stdout)
guest.stderr.pipe(process.stderr)

// The parent writes until it closes or dies, however busy the guest may be then.
const leave = (): never => process.exit(0)
process.stdin.once('close', leave)

guest.once('error', (error) => {
  process.stderr.write(`${error.stack ?? error.message}\n`, () => process.exit(1))
})
guest.once('exit', (code) => {
  process.exitCode = code
  process.stdin.off('close', leave).destroy() // what the guest wrote last is still on its way
})
