/** What the process says of itself, on stderr: sentences for people, or one JSON object a line for machines. */
import { messageOf, TollgateError } from '../model/errors.ts'
import { paint } from './terminal.ts'

/** From the most talkative to the most silent. */
export const levels = ['debug', 'info', 'warn', 'error'] as const
export type Level = (typeof levels)[number]

export const logFormats = ['text', 'json'] as const
export type LogFormat = (typeof logFormats)[number]

export interface LogOptions {
  readonly logFormat?: LogFormat
  readonly logLevel?: Level
}

/** What is known of it beside the sentence. Never a credential, never what an argument holds. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>

export type Write = (level: Level, sentence: string, fields: LogFields) => void

const prefix = () => paint('cyan', 'tollgate:', process.stderr)

/** Fields are for machines: a sentence says what people need. */
const asText: Write = (_, sentence) => {
  for (const line of sentence.split('\n')) process.stderr.write(`${prefix()} ${line}\n`)
}

let write = asText
let least: Level = 'info'

/** From now on the log is of this form. The writer of JSON is loaded where it is wanted: most gates start without it. */
export async function openLog({ logFormat = 'text', logLevel = 'info' }: LogOptions): Promise<void> {
  least = logLevel
  write = logFormat === 'json' ? (await import('./logJson.ts')).jsonWriter() : asText
}

export function isJsonLog(): boolean {
  return write !== asText
}

export function isSaid(level: Level): boolean {
  return levels.indexOf(level) >= levels.indexOf(least)
}

export function log(level: Level, sentence: string, fields: LogFields = {}): void {
  if (isSaid(level)) write(level, sentence, fields)
}

const warning = /^warning: /

/** A sentence that begins with `warning: ` is one. */
export function say(sentence: string): void {
  if (warning.test(sentence)) log('warn', isJsonLog() ? sentence.replace(warning, '') : sentence)
  else log('info', sentence)
}

export function report(error: unknown): void {
  const code = error instanceof TollgateError ? error.code : undefined
  if (isJsonLog()) log('error', messageOf(error), { ...(code !== undefined && { code }) })
  else log('error', code === undefined ? messageOf(error) : `${messageOf(error)} (${code})`)
}
