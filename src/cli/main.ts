/** The command line. Every command loads what it needs when it is asked for, so that `run` starts fast. */
import module from 'node:module'
import { nodeTrouble } from '../model/nodeVersion.ts'

const trouble = nodeTrouble(process.versions.node)
if (trouble !== undefined) {
  // Nothing else may be loaded before.
  process.stderr.write(`tollgate: ${trouble}\n`)
  process.exitCode = 1
} else {
  module.enableCompileCache()
  const { endOnSignals, exitWith, leaveWhenUnread } = await import('./exit.ts')
  if (process.pid === 1) endOnSignals()
  leaveWhenUnread(process.stdout)
  const { program } = await import('./program.ts')
  await program.parseAsync(process.argv).catch(exitWith)
}
