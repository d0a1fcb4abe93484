/** What a server writes to stderr: shown as it comes, or kept for the case that the scan fails. */
import { StringDecoder } from 'node:string_decoder'
import { plain } from './terminal.ts'

/** Enough for a stack trace. */
const linesKept = 20

/** A line that never ends is shown in parts. */
const lineCharsMax = 4_096

export class ServerStderr {
  readonly #decoder = new StringDecoder('utf8')
  readonly #show: boolean
  #rest = ''
  #lines: string[] = []

  constructor({ show }: { readonly show: boolean }) {
    this.#show = show
  }

  readonly hear = (chunk: Buffer): void => {
    const lines = `${this.#rest}${this.#decoder.write(chunk)}`.split(/\r?\n/)
    this.#rest = lines.pop() ?? ''
    if (this.#rest.length > lineCharsMax) lines.push(this.#rest)
    if (this.#rest.length > lineCharsMax) this.#rest = ''
    this.#take(lines)
  }

  /** Its last lines, unless they were shown already. */
  lastLines(): readonly string[] {
    this.#take([this.#rest])
    this.#rest = ''
    return this.#show ? [] : this.#lines
  }

  #take(lines: readonly string[]): void {
    const said = lines.filter((line) => line.trim() !== '').map((line) => plain(line.slice(0, lineCharsMax)))
    if (this.#show) for (const line of said) process.stderr.write(`server: ${line}\n`)
    this.#lines = [...this.#lines, ...said].slice(-linesKept)
  }
}
