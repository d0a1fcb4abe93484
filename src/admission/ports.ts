/** What the admission server stands on, and who asks it. */
import type { IncomingMessage } from 'node:http'
import type { Charged } from '../log/activity.ts'
import type { Body } from '../log/body.ts'
import type { Approval, ApprovalState, Approver } from '../model/approval.ts'
import type { Kill } from '../model/kill.ts'
import type { StoredRecord } from '../model/ledger.ts'
import type { Approvals } from '../pep/approvals.ts'
import type { Kills } from '../pep/kills.ts'
import type { Slack } from './slack.ts'
import type { Webhook } from './webhook.ts'

export interface AdmissionPorts {
  readonly ledger: {
    approvals(states?: readonly ApprovalState[]): readonly Approval[]
    approval(id: string): Approval | undefined
    approvalsVersion(): string
    recordsOf(decisionId: string): readonly StoredRecord[]
    records(range: { readonly since?: number }): IterableIterator<StoredRecord>
    kills(): readonly Kill[]
  }
  readonly approvals: Pick<Approvals, 'approve' | 'reject' | 'expire'>
  readonly kills: Pick<Kills, 'kill' | 'lift'>
  /** What an allowed call took from which counter, by its record; undefined when nobody can tell. */
  readonly chargesOf: (body: Body) => readonly Charged[] | undefined
  /** Whose credential it is, a key or a token; undefined for nobody's. All that is known of who answers comes through here. */
  readonly approverOf: (credential: string) => Approver | undefined | Promise<Approver | undefined>
  readonly status: () => Status
  /** Who else is told of requests, and may bring answers. */
  readonly notify?: Notify
  readonly log: (sentence: string) => void
}

export interface Notify {
  readonly webhook?: Webhook
  readonly slack?: Slack
}

/** What `/v1/status` says of the gate. */
export interface Status {
  readonly version: string
  /** Of the policy that decides: empty when none does, `null` where no gate is behind this. */
  readonly revision: string | null
  readonly servers: readonly string[]
  readonly started_at: string
  /** Calls that are kept open for a person at this moment. */
  readonly kept_open: number
}

/** The credential of a program: `Authorization: Bearer …`. */
export function bearerOf({ headers }: IncomingMessage): string | undefined {
  return /^Bearer +([\x21-\x7e]+)$/i.exec(headers.authorization ?? '')?.[1]
}
