/** What is wrong with a policy file, and where. Every front end collects its mistakes in one `Report`. */
import { diagnosticsMax } from './limits.ts'

/** A position in the text; both count from 1, columns in UTF-16 code units as editors do. */
export interface Spot {
  readonly line: number
  readonly col: number
  /** Just behind what stands there, where that is one word, text or number. */
  readonly end?: Spot
  /** Where it is another file than that of the report. */
  readonly file?: string
}

export type DiagnosticCode =
  | 'unreadable'
  | 'bundle_refused'
  | 'too_large'
  | 'yaml_syntax'
  | 'yaml_unsupported'
  | 'unknown_language'
  | 'unknown_key'
  | 'duplicate_key'
  | 'missing_key'
  | 'misplaced_key'
  | 'wrong_value'
  | 'ascii_only'
  | 'bad_name'
  | 'foreign_yaml'
  | 'never_matches'
  | 'not_asked'
  | 'contradiction'
  | 'says_nothing'
  | 'never_binds'
  | 'never_counts'
  | 'no_default'
  | 'not_convertible'
  | 'not_honoured'
  | 'duplicate_name'
  | 'not_quoted'
  | 'expensive'
  | 'uncompiled'
  | 'unreachable'
  | 'shadowed'
  | 'each_in_deny'
  | 'escapable_prefix'
  | 'escapable_budget'
  | 'foreign_path'
  | 'unknown_tool'
  | 'unknown_prompt'
  | 'unknown_argument'
  | 'unknown_value'

export interface Diagnostic {
  readonly file: string
  readonly line: number
  readonly col: number
  /** An error leaves no policy; a warning does. */
  readonly severity: 'error' | 'warning'
  readonly code: DiagnosticCode
  readonly message: string
  /** Just behind what is wrong, where that is known. */
  readonly endLine?: number
  readonly endCol?: number
  /** What was probably meant, to be written from the place to its end. */
  readonly suggestion?: string
}

/** What a report may say beside its sentence. */
export interface Advice {
  readonly suggestion?: string | undefined
}

/** `refunds.yaml:7:5: unknown key ...`, on one line whatever the file is called and says. */
export function formatDiagnostic({ file, line, col, severity, message }: Diagnostic): string {
  const text = `${file}:${line}:${col}: ${severity === 'warning' ? 'warning: ' : ''}${message}`
  return text.replace(unseen, escaped)
}

/** A word from outside, in backticks, short, and without characters that steer a terminal or reorder a line. */
export function quote(text: string): string {
  return `\`${shortened(text)}\``
}

/** Text from outside as a string literal. */
export function literal(text: string): string {
  return `"${shortened(text.replace(/["\\]/g, '\\$&'))}"`
}

const shownCharsMax = 80

/** Control characters, what cannot be seen, and what breaks or reorders a line. */
const unseen = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu

function shortened(text: string): string {
  const chars = [...text.slice(0, 4 * shownCharsMax)]
  const shown = chars.length > shownCharsMax ? `${chars.slice(0, shownCharsMax).join('')}...` : chars.join('')
  return shown.replace(unseen, escaped)
}

function escaped(char: string): string {
  return `\\u${(char.codePointAt(0) as number).toString(16).padStart(4, '0')}`
}

interface Where {
  readonly file: string
  readonly line: number
}

/** Where something stands, as a sentence about something at another place says it. */
export function lineOf({ file, line }: Where, from: Where): string {
  return file === from.file ? `line ${line}` : `line ${line} of ${quote(file)}`
}

/** `a`, `b` or `c`, each in backticks. */
export function oneOf(words: readonly string[]): string {
  const quoted = words.map(quote)
  const last = quoted.pop() ?? ''
  return quoted.length === 0 ? last : `${quoted.join(', ')} or ${last}`
}

export class Report {
  readonly file: string
  /** The file is to be one policy with others: what holds of a whole policy cannot be said of it. */
  readonly isPart: boolean
  readonly #parts: readonly Report[]
  readonly #found: Diagnostic[] = []
  /** An anchored value is read once for each alias; its mistakes are told once. */
  readonly #told = new Set<string>()
  /** Where parts of the policy stand that have no place in the model. */
  readonly #places = new Map<object, Spot>()
  #failed = false
  #dropped = 0

  constructor(file: string, { isPart = false, parts = [] }: { isPart?: boolean; parts?: readonly Report[] } = {}) {
    this.file = file
    this.isPart = isPart
    this.#parts = parts
  }

  /** For what is to be said of several files together. */
  static together(parts: readonly Report[]): Report {
    return new Report(parts[0]?.file ?? '', { parts })
  }

  error(at: Spot, code: DiagnosticCode, message: string, advice?: Advice): void {
    this.#failed = true
    this.#add(at, 'error', code, message, advice)
  }

  warning(at: Spot, code: DiagnosticCode, message: string, advice?: Advice): void {
    this.#add(at, 'warning', code, message, advice)
  }

  /** A warning that holds only where the file is the whole policy. */
  warningOfWhole(at: Spot, code: DiagnosticCode, message: string): void {
    if (!this.isPart) this.warning(at, code, message)
  }

  /** Remembers where a part of the policy stands; what is known of it already stays. */
  locate(part: object, at: Spot): void {
    if (!this.#places.has(part)) this.#places.set(part, at)
  }

  placeOf(part: object): Spot | undefined {
    const own = this.#places.get(part)
    if (own) return own
    for (const report of this.#parts) {
      const at = report.placeOf(part)
      if (at) return { ...at, file: at.file ?? report.file }
    }
    return undefined
  }

  get failed(): boolean {
    return this.#failed
  }

  /** In the order of the files, and in each of its lines. */
  diagnostics(): readonly Diagnostic[] {
    const files = [this.file, ...this.#parts.map(({ file }) => file)]
    const sorted = this.#found.toSorted(
      (a, b) => files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line || a.col - b.col,
    )
    const last = sorted.at(-1)
    if (this.#dropped === 0 || !last) return sorted
    const severity = this.#failed ? 'error' : 'warning'
    return [...sorted, { ...last, severity, message: `${this.#dropped} more mistakes are not shown` }]
  }

  #add(at: Spot, severity: Diagnostic['severity'], code: DiagnosticCode, message: string, advice: Advice = {}): void {
    const { line, col, end, file = this.file } = at
    const { suggestion } = advice
    const identity = `${file}:${line}:${col} ${message}`
    if (this.#told.has(identity)) return
    if (this.#found.length >= diagnosticsMax) {
      this.#dropped++
      return
    }
    this.#told.add(identity)
    this.#found.push(
      Object.freeze({
        file,
        line,
        col,
        ...(end && { endLine: end.line, endCol: end.col }),
        severity,
        code,
        message,
        // Without its end nobody could tell what to write it over.
        ...(suggestion !== undefined && end && { suggestion }),
      }),
    )
  }
}
