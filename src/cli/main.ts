/** The command line. Every command loads what it needs when it is asked for, so that `run` starts fast. */
import { enableCompileCache } from 'node:module'

enableCompileCache()
const { program } = await import('./program.ts')
const { exitWith, leaveWhenUnread } = await import('./exit.ts')
leaveWhenUnread(process.stdout)
await program.parseAsync(process.argv).catch(exitWith)
