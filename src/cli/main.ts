/** The command line. Every command loads what it needs when it is asked for, so that `run` starts fast. */
import module from 'node:module'

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 19)) {
  // Nothing else may be loaded before: under an older Node it ends in a stack, or in a crash of the SQLite binding.
  process.stderr.write(`tollgate: Node.js 22.19 or newer is needed, this is ${process.versions.node}\n`)
  process.exitCode = 1
} else {
  module.enableCompileCache()
  const { program } = await import('./program.ts')
  const { exitWith, leaveWhenUnread } = await import('./exit.ts')
  leaveWhenUnread(process.stdout)
  await program.parseAsync(process.argv).catch(exitWith)
}
