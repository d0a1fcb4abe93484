/** `tollgate approvals serve`: the page and the API of approvals beside a ledger, for gates that are other processes. */
import { randomUUID } from 'node:crypto'
import { openLedger } from '../ledger/ledger.ts'
import { describeWith } from '../log/describe.ts'
import { version } from '../runtime/version.ts'
import { type AdmissionOptions, admissionOf, openAdmission } from './admission.ts'
import { existingLedger } from './auditLedger.ts'
import { UsageError } from './exit.ts'
import { report, say } from './log.ts'
import { signalled } from './serving.ts'

export interface ApprovalsServeOptions extends AdmissionOptions {
  readonly ledger?: string
}

export async function approvalsServe(options: ApprovalsServeOptions): Promise<void> {
  const admission = admissionOf(options)
  if (admission === undefined) throw new UsageError('say where it listens with `--admin`')
  const ledger = openLedger({ file: existingLedger(options.ledger) })
  try {
    const told = signalled()
    const describe = describeWith({ id: randomUUID(), version }, 'full')
    const startedAt = new Date().toISOString()
    const status = () => ({
      version,
      revision: null,
      servers: [],
      started_at: startedAt,
      kept_open: 0,
      files_unread: [],
    })
    const server = await openAdmission(admission, { ledger, describe, status, say, report })
    await told
    await server.close()
  } finally {
    ledger.close()
  }
}
