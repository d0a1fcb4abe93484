/** A gate whose ledger knows every fact at once and forgets every record, so that nothing but the decision is left. */
import type { Ledger, StoredRecord, Transaction } from '../src/model/ledger.ts'
import { noPins } from '../src/model/pinning.ts'
import { Gate } from '../src/pep/gate.ts'
import { orderedId } from '../src/runtime/ids.ts'

export function bareGate(): Gate {
  return new Gate({ ledger: forgetfulLedger(), describe: () => '', newId: orderedId, report: rethrow })
}

function forgetfulLedger(): Ledger {
  const now = Date.now()
  const record: StoredRecord = { kind: 'decision', body: '', seq: 1, at: now, hash: '', previousHash: '' }
  const tx: Transaction = {
    now,
    used: () => ({ used: 1 }),
    roomAt: () => now,
    open: () => {},
    reserve: () => {},
    settle: () => true,
    append: () => record,
    keepPolicy: () => {},
    killOf: () => undefined,
    killFor: () => undefined,
    kill: () => undefined,
    addKill: () => {},
    removeKill: () => {},
    pinsOf: () => noPins,
    setPins: () => {},
    keepDefinition: () => {},
    toolsKnown: () => 0,
    isSeenWhole: () => false,
    markSeenWhole: () => {},
    approvalFor: () => undefined,
    approval: () => undefined,
    addApproval: () => {},
    changeApproval: () => {},
    approvalsPending: () => 0,
    approvalsOverdue: () => [],
  }
  return {
    transact: (work) => work(tx),
    records: () => [].values(),
    policy: () => undefined,
    killOf: () => undefined,
    pinsOf: () => noPins,
    isSeenWhole: () => false,
    close: () => {},
  }
}

function rethrow(error: unknown): never {
  throw error
}
