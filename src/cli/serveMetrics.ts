/** What `tollgate serve` tells Prometheus. Loaded only where somebody can ask for it. */
import { statSync } from 'node:fs'
import type { Metrics } from '../admission/metrics.ts'
import type { Runs } from '../admission/runs.ts'
import type { FollowedFiles } from '../identity/followed.ts'
import type { SqliteLedger } from '../ledger/ledger.ts'
import type { Gate } from '../pep/gate.ts'
import type { Waiting } from './openedGate.ts'
import type { FollowedBundles } from './policyFeed.ts'

interface Measured {
  readonly ledger: SqliteLedger
  readonly ledgerFile: string
  readonly waiting: Waiting
  readonly runs: Runs
  readonly files: FollowedFiles
  readonly bundles: FollowedBundles | undefined
}

export async function metricsOf(
  gate: Gate,
  { ledger, ledgerFile, waiting, runs, files, bundles }: Measured,
): Promise<Metrics> {
  const { Metrics } = await import('../admission/metrics.ts')
  const metrics = new Metrics(gate, {
    held_calls: () => waiting.answers.waiting,
    approvals_pending: () => ledger.approvals(['pending']).length,
    runs_registered: () => runs.count,
    files_unread: () => files.unread().length,
    kills: () => ledger.kills().length,
    ledger_bytes: () => statSync(ledgerFile).size,
    ledger_records: () => ledger.head().seq,
  })
  if (bundles) metrics.watch({ onFailure: bundles.onFailure, status: () => standings(bundles) })
  return metrics
}

/** The one that names the others is one of them. */
function standings({ status, discovery }: FollowedBundles) {
  const found = discovery()
  return found ? { ...status(), discovery: found } : status()
}
