/** The log as JSON, one object a line: time, level, msg, and the fields. */
import pino from 'pino'
import type { Write } from './log.ts'

/** Lines are written at once: what a process says before it dies is what one looks for. */
export function jsonWriter(): Write {
  const options = {
    level: 'debug',
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  }
  const logger = pino(options, pino.destination({ dest: 2, sync: true }))
  return (level, sentence, fields) => logger[level](fields, sentence)
}
