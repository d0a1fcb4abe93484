/** The lists of a server for somebody who waits at a terminal: with a time limit, progress, and the server's last words. */
import type { Scan } from '../scan/definition.ts'
import { takeSignals } from './exit.ts'
import type { EndReason } from './scanServer.ts'
import { ServerStderr } from './scanStderr.ts'
import type { ServerCommand } from './serverProcess.ts'
import { paint } from './terminal.ts'

export interface Started extends Omit<ServerCommand, 'hear'> {
  readonly timeoutMs: number
  /** Show what the server writes to stderr as it comes. */
  readonly verbose: boolean
  /** Which of several it is. */
  readonly label?: string
  /** A line of the server as it may be shown. */
  readonly shown?: (line: string) => string
}

/** What the server wrote to stderr comes before the error, where its cause most likely stands. */
export async function listsOf({ timeoutMs, verbose, label, shown, ...server }: Started): Promise<Scan> {
  // The MCP client is loaded only when there is something to ask.
  const { scanServer } = await import('./scanServer.ts')
  const stderr = new ServerStderr({ show: verbose })
  const end = new AbortController()
  const endFor = (reason: EndReason) => () => end.abort(reason)
  const timer = setTimeout(endFor('timeout'), timeoutMs)
  const interrupt = endFor('interrupt')
  for (const signal of interrupts) process.on(signal, interrupt)
  takeSignals()
  const progress = progressOn(process.stderr, verbose, label)
  try {
    return await scanServer({ ...server, timeoutMs, signal: end.signal, listen: () => stderr.listen(), progress })
  } catch (error) {
    progress('')
    for (const line of stderr.lastLines())
      process.stderr.write(`${paint('dim', `${label ?? 'server'}: ${shown?.(line) ?? line}`, process.stderr)}\n`)
    throw error
  } finally {
    progress('')
    clearTimeout(timer)
    for (const signal of interrupts) process.off(signal, interrupt)
  }
}

const interrupts: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP']

/** One line that is written over, on a terminal; nothing anywhere else. */
function progressOn(stream: NodeJS.WriteStream, verbose: boolean, label?: string): (doing: string) => void {
  if (!stream.isTTY || verbose) return () => undefined
  const named = (doing: string) => paint('dim', label === undefined ? doing : `${label}: ${doing}`, stream)
  return (doing) => stream.write(`\r\u001b[2K${doing === '' ? '' : named(doing)}`)
}
