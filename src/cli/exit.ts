/** How a command ends. 0: fine. 1: the thing that was checked is wrong, or the work failed. 2: the command was not understood. */
import { CommanderError } from 'commander'
import { messageOf, TollgateError } from '../model/errors.ts'
import { paint } from './terminal.ts'

export const exitCodes = { fine: 0, wrong: 1, usage: 2 } as const

/** The command line itself is wrong. The message says what to do. */
export class UsageError extends TollgateError {
  override readonly name = 'UsageError'

  constructor(message: string) {
    super('usage', message)
  }
}

/** Says what went wrong on stderr, in one place, and sets the exit code. */
export function exitWith(error: unknown): void {
  if (error instanceof CommanderError) {
    // Commander has said it already; help and version are no failures.
    process.exitCode = error.exitCode === 0 ? exitCodes.fine : exitCodes.usage
    return
  }
  const code = error instanceof TollgateError ? ` (${error.code})` : ''
  process.stderr.write(`${paint('red', 'tollgate:', process.stderr)} ${messageOf(error)}${code}\n`)
  process.exitCode = error instanceof UsageError ? exitCodes.usage : exitCodes.wrong
}

/** `tollgate audit | head`: when nobody reads on, there is nothing left to do. What was found wrong stays wrong. */
export function leaveWhenUnread(stream: NodeJS.WriteStream): void {
  stream.on('error', leave)
}

/** For a command that has something to end first: it hears of the lost reader itself. */
export function stayWhenUnread(stream: NodeJS.WriteStream): void {
  stream.off('error', leave)
}

function leave(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(process.exitCode ?? exitCodes.fine)
  exitWith(new TollgateError('output_unwritable', `standard output cannot be written: ${error.message}`))
  process.exit()
}
