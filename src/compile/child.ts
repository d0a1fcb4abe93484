// The compiler's process: a thread runs the module, this one carries its streams and ends it with the parent.
import { setFlagsFromString } from 'node:v8'
import { Worker } from 'node:worker_threads'
import { stackMbMax } from './limits.ts'

const extension = import.meta.url.slice(import.meta.url.lastIndexOf('.'))

// V8 optimises a function once it ran through so many bytes of code. Go's initialisers run once, and one of them has 570 KB:
// to optimise it, half of a start was spent at V8's own 1.8 million.
setFlagsFromString('--wasm-tiering-budget=2000000000')
// The module is proved to be the pinned one by its digest before it runs, and most of it never does: to validate all of its
// 41 MB first took a sixth of a start.
setFlagsFromString('--wasm-lazy-validation')

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
