/** Where news of the gate goes. Telling them never fails, since it happens where a decision is on its way. */
import { messageOf } from '../model/errors.ts'
import type { Report } from './types.ts'

export type Reporter = (report: Report) => void

/** Without a listener, what is wrong becomes a process warning, on stderr: stdout may belong to MCP. */
export function reporter(onReport: Reporter | undefined): Reporter {
  if (onReport === undefined) return warn
  return (report) => {
    try {
      onReport(report)
    } catch (error) {
      warn(report)
      warn({ message: `\`onReport\` threw: ${messageOf(error)}`, error })
    }
  }
}

/** Takes what was thrown where no caller can be told. */
export function failures(report: Reporter): (error: unknown) => void {
  return (error) => report({ message: messageOf(error), error })
}

function warn({ message, error }: Report): void {
  if (error !== undefined) process.emitWarning(message, 'TollgateWarning')
}
