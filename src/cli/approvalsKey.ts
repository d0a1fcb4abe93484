/** `tollgate approvals key`: a new key for a person or a program. The key goes to its owner, its line into the file of approvers. */
import { newKey } from '../admission/approvers.ts'
import type { Scope } from '../admission/scopes.ts'

export function approvalsKey(name: string, { scope = [] }: { readonly scope?: readonly Scope[] }): void {
  const { key, line } = newKey(name, scope)
  process.stderr.write(`the key, which is shown this once: ${key}\n`)
  process.stdout.write(`${line}\n`)
}
