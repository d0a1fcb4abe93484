/** `tollgate approvals key`: a new key for a person. The key goes to the person, its line into the file of approvers. */
import { newKey } from '../admission/approvers.ts'

export function approvalsKey(name: string): void {
  const { key, line } = newKey(name)
  process.stderr.write(`the key, which is shown this once: ${key}\n`)
  process.stdout.write(`${line}\n`)
}
