/** How a command ends. 0: fine. 1: the thing that was checked is wrong, or the work failed. 2: the command was not understood. */
import { constants } from 'node:os'
import { CommanderError } from 'commander'
import { messageOf, TollgateError } from '../model/errors.ts'
import { isJsonLog, report } from './log.ts'
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
  if (isJsonLog()) report(error)
  else process.stderr.write(`${paint('red', 'tollgate:', process.stderr)} ${messageOf(error)}${code}\n`)
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

const stopSignals: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP']

let leaveSignals = () => {}

/**
 * Signals end the process, once `first` has been done. The system does that by itself, but not for process 1, as in a
 * container: that one hears only what it listens to.
 */
export function endOnSignals(first: (signal: NodeJS.Signals) => Promise<unknown> = async () => {}): void {
  const end = (signal: NodeJS.Signals) => {
    const exit = () => process.exit(128 + constants.signals[signal])
    void first(signal).then(exit, exit)
  }
  for (const signal of stopSignals) process.on(signal, end)
  takeSignals()
  leaveSignals = () => {
    for (const signal of stopSignals) process.off(signal, end)
  }
}

/**
 * For a command that listens to them itself. It must do so before it calls this: where nobody listens in between, a
 * signal is lost that came while we were busy.
 */
export function takeSignals(): void {
  leaveSignals()
}
