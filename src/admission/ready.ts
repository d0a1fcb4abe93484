/** Can calls be decided? For whoever sends them here or elsewhere. */

export interface Readiness {
  readonly ledger: { approvalsVersion(): string }
  /** Of the policy; empty while none is active. */
  readonly revision: string | null
}

/** Why they cannot; undefined when they can. */
export function notReady({ ledger, revision }: Readiness): string | undefined {
  try {
    ledger.approvalsVersion()
  } catch {
    return 'the ledger cannot be read'
  }
  return revision === '' ? 'no policy is active' : undefined
}
