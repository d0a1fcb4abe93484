/** Apart from what builds a policy, so that a program can name the error without loading the languages. */
import { TollgateError } from '../model/errors.ts'
import { type Diagnostic, formatDiagnostic } from '../policy/diagnostics.ts'

/** A policy that has mistakes; `diagnostics` has every one, the message the first. */
export class PolicyError extends TollgateError {
  override readonly name = 'PolicyError'
  readonly diagnostics: readonly Diagnostic[]

  constructor(diagnostics: readonly Diagnostic[]) {
    const [first] = diagnostics.filter(({ severity }) => severity === 'error')
    super('policy_invalid', first ? formatDiagnostic(first) : 'the policy has mistakes')
    this.diagnostics = diagnostics
  }
}
