/** The view of a record with what came of it: how a call ended stands in a later record, found by the id of the decision. */
import type { StoredRecord } from '../model/ledger.ts'
import { requestRecords } from './approvals.ts'
import { isJudged, type RecordView, viewOf } from './view.ts'

interface Ledger {
  recordsOf(decisionId: string): readonly StoredRecord[]
}

export function viewIn(ledger: Ledger, record: StoredRecord): RecordView {
  if (!isJudged(record)) return viewOf(record)
  const recordsOf = (id: string) => ledger.recordsOf(id)
  const own = record.decisionId === undefined ? [] : recordsOf(record.decisionId)
  const related = [...own.filter(({ kind }) => kind === 'outcome'), ...requestRecords(record, recordsOf)]
  return viewOf(
    record,
    related.filter(({ seq }) => seq > record.seq),
  )
}
