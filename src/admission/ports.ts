/** What the admission server stands on, and who asks it. */
import type { IncomingMessage } from 'node:http'
import type { Charged } from '../log/activity.ts'
import type { Body } from '../log/body.ts'
import type { Approval, ApprovalState, Approver } from '../model/approval.ts'
import { TollgateError } from '../model/errors.ts'
import type { Kill } from '../model/kill.ts'
import type { StoredRecord } from '../model/ledger.ts'
import type { Approvals } from '../pep/approvals.ts'
import type { Gate } from '../pep/gate.ts'
import type { Kills } from '../pep/kills.ts'
import type { Runs } from './runs.ts'
import type { KeyHolder } from './scopes.ts'
import type { Slack } from './slack.ts'
import type { Webhook } from './webhook.ts'

export interface AdmissionPorts {
  readonly ledger: {
    approvals(states?: readonly ApprovalState[]): readonly Approval[]
    approval(id: string): Approval | undefined
    approvalsVersion(): string
    recordsOf(decisionId: string): readonly StoredRecord[]
    records(range: {
      readonly after?: number
      readonly since?: number
      readonly until?: number
      readonly limit?: number
    }): IterableIterator<StoredRecord>
    kills(): readonly Kill[]
  }
  readonly approvals: Pick<Approvals, 'approve' | 'reject' | 'expire'>
  readonly kills: Pick<Kills, 'kill' | 'lift'>
  /** What an allowed call took from which counter, by its record; undefined when nobody can tell. */
  readonly chargesOf: (body: Body) => readonly Charged[] | undefined
  /** Where calls are decided; undefined where only a ledger is behind this. */
  readonly gate?: AdmissionGate
  readonly runs?: Runs
  /** Whose credential it is, a key or a token; undefined for nobody's. All that is known of who asks comes through here. */
  readonly keyHolderOf: (credential: string) => KeyHolder | undefined | Promise<KeyHolder | undefined>
  readonly status: () => Status
  /** What Prometheus is told. */
  readonly metrics?: { text(): Promise<string> }
  /** Who else is told of requests, and may bring answers. */
  readonly notify?: Notify
  readonly log: (sentence: string) => void
}

export interface Notify {
  readonly webhook?: Webhook
  readonly slack?: Slack
}

export type AdmissionGate = Pick<
  Gate,
  'admit' | 'check' | 'refuse' | 'settle' | 'flush' | 'active' | 'visible' | 'listed'
>

/** Throws `gate_missing`. */
export function gateOf({ gate }: AdmissionPorts): AdmissionGate {
  return gate ?? missing()
}

/** Throws `gate_missing`. */
export function runsOf({ runs }: AdmissionPorts): Runs {
  return runs ?? missing()
}

/** A person who may answer; undefined for nobody, and for a program that may not. */
export async function approverOf({ keyHolderOf }: AdmissionPorts, credential: string): Promise<Approver | undefined> {
  const known = await keyHolderOf(credential)
  return known?.scopes.includes('approve') ? known.holder : undefined
}

function missing(): never {
  throw new TollgateError(
    'gate_missing',
    'no gate is behind this, but a ledger alone: ask the server of `tollgate serve`',
  )
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
  /** Files of keys and credentials that cannot be read again: what they said before counts until then, `null`: for ever. */
  readonly files_unread: readonly {
    readonly file: string
    readonly since: string
    readonly counts_until: string | null
  }[]
  /** How it stands with each bundle, where the policy comes in bundles. */
  readonly bundles?: Readonly<Record<string, object>>
  /** And with the one that names them. */
  readonly discovery?: object | undefined
}

/** The credential of a program: `Authorization: Bearer …`. */
export function bearerOf({ headers }: IncomingMessage): string | undefined {
  return bearerIn(headers.authorization)
}

export function bearerIn(authorization = ''): string | undefined {
  return /^Bearer +([\x21-\x7e]+)$/i.exec(authorization)?.[1]
}

/** The key as the password of a URL, for programs that can be given nothing but a URL. The name before it says nothing. */
export function basicOf({ headers }: IncomingMessage): string | undefined {
  const [, encoded] = /^Basic +([A-Za-z0-9+/=]+)$/i.exec(headers.authorization ?? '') ?? []
  return encoded && /^[^:]*:([\x21-\x7e]+)$/.exec(Buffer.from(encoded, 'base64').toString('latin1'))?.[1]
}
