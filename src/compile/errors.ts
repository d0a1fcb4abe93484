// What the compiler refuses or fails at: a code, a sentence, and the places in the Rego.
import { TollgateError } from '../model/errors.ts'

export interface Diagnostic {
  readonly code: string
  readonly message: string
  readonly file: string
  readonly row: number
  readonly col: number
}

export type CompileErrorCode =
  | 'compile_failed' // the modules are wrong: see the diagnostics
  | 'compiler_bad_request' // our request was not one: unknown op, wrong types, malformed text
  | 'compiler_request_too_large'
  | 'compiler_answer_too_large'
  | 'compiler_timeout'
  | 'compiler_stopped' // the process ended before it answered
  | 'compiler_internal' // OPA's code panicked
  | 'compiler_digest_mismatch' // the module is not the one that compiler.json names
  | 'compiler_unavailable' // the module cannot be read or started
  | 'compiler_closed'

export class CompileError extends TollgateError {
  override readonly name = 'CompileError'
  declare readonly code: CompileErrorCode
  readonly diagnostics: readonly Diagnostic[]

  constructor(
    code: CompileErrorCode,
    message: string,
    options?: { diagnostics?: readonly Diagnostic[]; cause?: unknown },
  ) {
    super(code, message, options?.cause === undefined ? undefined : { cause: options.cause })
    this.diagnostics = options?.diagnostics ?? []
  }
}

/** What an answer made of errors means; mistakes in the modules are everything that is not the compiler's own. */
export function compileErrorOf(diagnostics: readonly Diagnostic[]): CompileError {
  const own = ownFailure(diagnostics)
  if (own !== undefined) return own
  const message = diagnostics.map(formatDiagnostic).join('\n')
  return new CompileError('compile_failed', message, { diagnostics })
}

/** The one error with which the compiler says that it is at fault, or our request was. */
export function ownFailure(diagnostics: readonly Diagnostic[]): CompileError | undefined {
  const [only, second] = diagnostics
  if (only === undefined || second !== undefined) return undefined
  switch (only.code) {
    case 'bad_request':
      return new CompileError('compiler_bad_request', only.message)
    case 'internal_error':
      return new CompileError('compiler_internal', only.message)
    case 'digest_mismatch':
      return new CompileError('compiler_digest_mismatch', only.message)
    case 'unavailable':
      return new CompileError('compiler_unavailable', only.message)
  }
  return undefined
}

export function formatDiagnostic({ file, row, col, message }: Diagnostic): string {
  return file === '' ? message : `${file}:${row}:${col} ${message}`
}
