/** From the bytes of a file to text that has one reading, and from offsets in it to lines and columns. */
import { policyBytesMax } from '../model/limits.ts'
import type { Report, Spot } from './diagnostics.ts'

export const start: Spot = { line: 1, col: 1 }

/** Undefined, with the mistakes reported, when the file is too large, no UTF-8, or holds characters no editor shows. */
export function readText(source: string | Uint8Array, report: Report): string | undefined {
  const bytes = typeof source === 'string' ? source.length : source.byteLength
  if (bytes > policyBytesMax) return tooLarge(bytes, report)
  const text = typeof source === 'string' ? wellFormed(source, report) : decoded(source, report)
  if (text === undefined) return undefined
  const size = typeof source === 'string' ? new TextEncoder().encode(source).length : bytes
  if (size > policyBytesMax) return tooLarge(size, report)
  const unmarked = text.startsWith('\uFEFF') ? text.slice(1) : text
  return isPlainText(unmarked, report) ? unmarked : undefined
}

function tooLarge(bytes: number, report: Report): undefined {
  report.error(start, 'too_large', `the file has ${bytes} bytes, at most ${policyBytesMax} are read`)
}

function wellFormed(text: string, report: Report): string | undefined {
  if (text.isWellFormed()) return text
  const offset = text.search(/\p{Cs}/u)
  report.error(new Lines(text).spot(offset), 'unreadable', 'half of a surrogate pair is no character')
  return undefined
}

function decoded(bytes: Uint8Array, report: Report): string | undefined {
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
  const again = new TextEncoder().encode(text)
  const wrong = again.findIndex((byte, index) => byte !== bytes[index])
  if (wrong === -1 && again.length === bytes.length) return text
  const before = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.subarray(0, Math.max(0, wrong)))
  // The replacement character begins with a byte that may also begin what stood there.
  const offset = before.endsWith('\uFFFD') ? before.length - 1 : before.length
  const found = `0x${(bytes[wrong] ?? 0).toString(16).padStart(2, '0')}`
  report.error(new Lines(text).spot(offset), 'unreadable', `the file must be UTF-8, found byte \`${found}\``)
  return undefined
}

/** Control characters, and line ends that one YAML reader takes for a line end and another does not. */
const odd = /[^\P{Cc}\t\n\r]|\r(?!\n)|[\u2028\u2029\uFEFF]/gu

function isPlainText(text: string, report: Report): boolean {
  const lines = new Lines(text)
  for (const { index, 0: char } of text.matchAll(odd)) {
    report.error(lines.spot(index), 'unreadable', oddSentence(char))
  }
  return !report.failed
}

function oddSentence(char: string): string {
  const code = `U+${(char.codePointAt(0) as number).toString(16).toUpperCase().padStart(4, '0')}`
  if (char === '\0') return 'the file must be text, found a NUL'
  if (char === '\r') return 'a line must end with LF or CR LF, found a lone CR'
  return `the file must be plain text, found the character ${code}`
}

/** Where the lines of a text begin. */
export class Lines {
  readonly #starts: readonly number[]

  constructor(text: string) {
    const starts = [0]
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
    this.#starts = starts
  }

  spot(offset: number): Spot {
    let low = 0
    let high = this.#starts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((this.#starts[middle] as number) <= offset) low = middle
      else high = middle - 1
    }
    return { line: low + 1, col: offset - (this.#starts[low] as number) + 1 }
  }
  /** A position that knows where it ends. */
  span(start: number, end: number): Spot {
    const at = this.spot(start)
    return end > start ? { ...at, end: this.spot(end) } : at
  }
}
