/** What a server writes to stderr: shown as it comes, or kept for the case that the scan fails. */
import { StringDecoder } from 'node:string_decoder'
import { plain } from '../model/message/plain.ts'

/** Enough for a stack trace. */
const linesKept = 20

/** A line that never ends is shown in parts. */
const lineCharsMax = 4_096

export class ServerStderr {
  readonly #show: boolean
  #rest = ''
  #lines: string[] = []

  constructor({ show }: { readonly show: boolean }) {
    this.#show = show
  }

  /** Hears a server that was just started; what another one said before is of no use any more. */
  listen(): (chunk: Buffer) => void {
    const decoder = new StringDecoder('utf8')
    this.#lines = []
    this.#rest = ''
    return (chunk) => this.#hear(decoder.write(chunk))
  }

  /** Its last lines, unless they were shown already. */
  lastLines(): readonly string[] {
    this.#take([this.#rest])
    this.#rest = ''
    return this.#show ? [] : this.#lines
  }

  #hear(text: string): void {
    const lines = `${this.#rest}${text}`.split(/\r?\n/)
    this.#rest = lines.pop() ?? ''
    if (this.#rest.length > lineCharsMax) lines.push(this.#rest)
    if (this.#rest.length > lineCharsMax) this.#rest = ''
    this.#take(lines)
  }

  #take(lines: readonly string[]): void {
    const said = lines.filter((line) => line.trim() !== '').map((line) => plain(line.slice(0, lineCharsMax)))
    if (this.#show) for (const line of said) process.stderr.write(`server: ${line}\n`)
    this.#lines = [...this.#lines, ...said].slice(-linesKept)
  }
}
