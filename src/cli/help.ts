/** `tollgate help`: what a command says of itself; of one that does not exist, which one may be meant. */
import type { Command } from 'commander'
import { nearest } from '../policy/spelling.ts'

/** Ends the command line: by the help, or by an error in the parser's own words. */
export function help(program: Command, path: readonly string[]): never {
  let found = program
  for (const name of path) found = found.commands.find((one) => one.name() === name) ?? unknownCommand(found, name)
  return found.help()
}

export function unknownCommand(parent: Command, name: string): never {
  const near = nearest(
    name,
    parent.commands.map((one) => one.name()),
  )
  const suggestion = near === undefined ? '' : `\n(Did you mean ${near}?)`
  return parent.error(`error: unknown command '${name}'${suggestion}`, { code: 'commander.unknownCommand' })
}
