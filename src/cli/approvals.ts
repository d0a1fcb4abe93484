/** `tollgate approvals`: what waits for a person, and the person's answer. The gate may be another process. */
import { randomUUID } from 'node:crypto'
import { openLedger, type SqliteLedger } from '../ledger/ledger.ts'
import { type ApprovalView, approvalView } from '../log/approvals.ts'
import { describeWith } from '../log/describe.ts'
import { type Approval, type ApprovalState, approvalStates } from '../model/approval.ts'
import { Approvals, unknownApproval } from '../pep/approvals.ts'
import { version } from '../runtime/version.ts'
import { approvalLines, approvalText, saidText } from './approvalsText.ts'
import { existingLedger } from './auditLedger.ts'
import { personOf } from './person.ts'

export interface ApprovalsListOptions {
  readonly ledger?: string
  readonly state?: readonly ApprovalState[]
  readonly all?: boolean
  readonly json?: boolean
}

export interface ApprovalsShowOptions {
  readonly ledger?: string
  readonly json?: boolean
}

export interface ApprovalsAnswerOptions extends ApprovalsShowOptions {
  readonly as?: string
  readonly reason?: string
}

export function approvalsList({ ledger: file, state, all, json }: ApprovalsListOptions): void {
  const shown = new Set<ApprovalState>(all ? approvalStates : (state ?? ['pending']))
  const views = reading(file, (ledger) => ledger.approvals().map((approval) => approvalView(approval, Date.now())))
  const found = views.filter((view) => shown.has(view.state))
  if (json) {
    print(found)
    return
  }
  const width = process.stdout.columns ?? Number.POSITIVE_INFINITY
  for (const line of approvalLines(found, width, process.stdout)) process.stdout.write(line)
  if (found.length === 0) process.stderr.write(`no request is ${[...shown].join(' or ')}\n`)
}

export function approvalsShow(id: string, { ledger: file, json }: ApprovalsShowOptions): void {
  const found = reading(file, (ledger) => ledger.approvals().find(({ request }) => request.id === id))
  if (!found) throw unknownApproval(id)
  const view = approvalView(found, Date.now())
  if (json) print(view)
  else process.stdout.write(approvalText(view, Date.now()))
}

export function approvalsAnswer(says: 'approve' | 'reject', id: string, options: ApprovalsAnswerOptions): void {
  const { ledger: file, json, as, reason } = options
  const ledger = openLedger({ file: existingLedger(file) })
  try {
    const describe = describeWith({ id: randomUUID(), version }, 'full')
    const said = { by: personOf(as), ...(reason !== undefined && { reason }) }
    const approval: Approval = new Approvals({ ledger, describe })[says](id, said)
    const view = approvalView(approval, Date.now())
    if (json) print(view)
    else process.stdout.write(saidText(view, says))
  } finally {
    ledger.close()
  }
}

function reading<T>(file: string | undefined, read: (ledger: SqliteLedger) => T): T {
  const ledger = openLedger({ file: existingLedger(file), readOnly: true })
  try {
    return read(ledger)
  } finally {
    ledger.close()
  }
}

function print(value: ApprovalView | readonly ApprovalView[]): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`)
}
