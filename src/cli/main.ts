/** The command line. Every command loads what it needs when it is asked for, so that `run` starts fast. */
import module from 'node:module'
import { nodeTrouble } from '../model/nodeVersion.ts'

/** All that lies here is ours. */
const home = new URL('..', import.meta.url).href

const trouble = nodeTrouble(process.versions.node)
if (trouble !== undefined) {
  // Nothing else may be loaded before.
  process.stderr.write(`tollgate: ${trouble}\n`)
  process.exitCode = 1
} else {
  module.enableCompileCache()
  // Node asks the file system several times where each module is; where ours are is plain.
  module.registerHooks({
    resolve(specifier, context, next) {
      const { parentURL } = context
      const isOurs = specifier.startsWith('.') && parentURL?.startsWith(home)
      return isOurs ? { url: new URL(specifier, parentURL).href, shortCircuit: true } : next(specifier, context)
    },
  })
  const { endOnSignals, exitWith, leaveWhenUnread } = await import('./exit.ts')
  if (process.pid === 1) endOnSignals()
  leaveWhenUnread(process.stdout)
  const program =
    process.argv[2] === 'run' ? (await import('./runCommand.ts')).runProgram() : (await import('./program.ts')).program
  await program.parseAsync(process.argv).catch(async (error: unknown) => {
    const { mistakesBeside } = await import('./besideUsage.ts')
    const others = await mistakesBeside(error, program, process.argv)
    if (others !== undefined) exitWith(others)
    exitWith(error)
  })
}
