/** What else is wrong with a start whose command line does not parse: its variables and its settings, so that all is mended at once. */
import { type Command, CommanderError } from 'commander'
import type { TollgateError } from '../model/errors.ts'

/** Commands that read their options from elsewhere as well. */
const settling: readonly string[] = ['run', 'serve']

/** Undefined where there is nothing else, and for errors that are no mistake of the command line. */
export async function mistakesBeside(
  error: unknown,
  program: Command,
  argv: readonly string[],
): Promise<TollgateError | undefined> {
  if (!(error instanceof CommanderError) || error.exitCode === 0) return undefined
  const [, , name = '', ...words] = argv
  const command = settling.includes(name) ? program.commands.find((one) => one.name() === name) : undefined
  if (command === undefined) return undefined
  const { settled } = await import('./settled.ts')
  const takesFile = command.options.some((option) => option.attributeName() === 'settings')
  const file = takesFile ? settingsIn(words) : undefined
  const { mistakes } = settled(command, file === undefined ? {} : { settings: file }, [])
  return mistakes.any ? mistakes.asError() : undefined
}

/** As the parser would have taken it; what stands behind `--` is another program's. */
function settingsIn(words: readonly string[]): string | undefined {
  const own = words.includes('--') ? words.slice(0, words.indexOf('--')) : words
  const at = own.findLastIndex((word) => word === '--settings' || word.startsWith('--settings='))
  const word = own[at]
  return word === '--settings' ? own[at + 1] : word?.slice('--settings='.length)
}
