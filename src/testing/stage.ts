/** Where one case is played: a whole gate without the wire, over an empty ledger, at the times that the case says. */
import { randomUUID } from 'node:crypto'
import { openLedger, type SqliteLedger } from '../ledger/ledger.ts'
import { describeWith } from '../log/describe.ts'
import type { Approver } from '../model/approval.ts'
import type { Call } from '../model/call.ts'
import type { Decision } from '../model/decision.ts'
import type { GateEvent } from '../model/event.ts'
import type { KillTarget } from '../model/kill.ts'
import type { Transaction } from '../model/ledger.ts'
import type { ActiveLayers, ActivePolicy } from '../pep/active.ts'
import { Approvals } from '../pep/approvals.ts'
import { Gate } from '../pep/gate.ts'
import { Kills } from '../pep/kills.ts'
import type { ToolList } from '../pep/pins.ts'

/** A decision, and what it stands on. */
export interface Judged {
  readonly decision: Decision
  /** What was judged, as canonical JSON; absent where the gate decided by itself. */
  readonly input?: string
  readonly reserved: readonly Reserved[]
}

/** What an allowed call took from a counter: calls or micro-units. */
export interface Reserved {
  readonly policyId: string
  readonly counter: string
  readonly isAmount: boolean
  readonly amount: number
}

export class Stage {
  readonly #ledger: SqliteLedger
  readonly #gate: Gate
  readonly #approvals: Approvals
  readonly #kills: Kills
  readonly #troubles: unknown[] = []
  #nowMs: number
  #ids = 0
  #asked: string | undefined
  #input: string | undefined
  #reserved: Reserved[] = []

  /** `listless`: no list of a server is shown, so that nothing is asked of what tools say of themselves. */
  constructor(active: ActivePolicy | ActiveLayers, { startMs, listless }: { startMs: number; listless: boolean }) {
    this.#nowMs = startMs
    const instance = randomUUID()
    this.#ledger = openLedger({ file: ':memory:', instance, clock: () => this.#nowMs })
    const text = describeWith({ id: instance, version: '' }, 'none')
    const describe = (event: GateEvent) => {
      if (event.kind === 'decision') this.#input = event.input
      return text(event)
    }
    const newId = () => `00000000-0000-4000-8000-${(++this.#ids).toString(16).padStart(12, '0')}`
    const ledger = { ...ledgerOf(this.#ledger), transact: this.#transact.bind(this) }
    const report = (error: unknown) => void this.#troubles.push(error)
    this.#gate = new Gate({ ledger, describe, newId, report, listless })
    this.#approvals = new Approvals({ ledger, describe })
    this.#kills = new Kills({ ledger, describe, newId })
    this.#gate.activate(unkept(active))
  }

  /** Time goes on to this moment. */
  advance(nowMs: number): void {
    this.#nowMs = nowMs
  }

  judge(call: Call): Judged {
    this.#input = undefined
    this.#reserved = []
    const decision = this.#gate.admit([call])[0] as Decision
    if (decision.decision === 'hold') this.#asked = decision.approval?.id ?? this.#asked
    return { decision, reserved: this.#reserved, ...(this.#input !== undefined && { input: this.#input }) }
  }

  /** What the call would come to; nothing comes of it. */
  wouldBe(call: Call): Decision {
    return this.#gate.check(call)
  }

  settle(decision: Decision, status: 'success' | 'error' | 'unknown'): void {
    this.#gate.settle([{ decisionId: decision.decision_id, status }])
  }

  /** For each item of a list: does the gate show it? */
  shown(method: Call['method'], names: readonly string[], list: ToolList): readonly boolean[] {
    const held = method === 'tools/call' ? this.#gate.listed(list) : undefined
    return names.map(
      (name, index) =>
        held?.[index] !== false && this.#gate.visible({ method, server: list.server, name }, list.principal),
    )
  }

  /** Throws where no call waits for an answer, and what `Approvals` throws. */
  answer(says: 'approve' | 'reject', by: string): void {
    if (this.#asked === undefined) throw new Error('no call before this waits for a person')
    this.#approvals[says](this.#asked, { by: person(by) })
  }

  /** Throws what `Kills` throws. */
  stop(says: 'kill' | 'lift', target: KillTarget): void {
    this.#kills[says](target, { by: person('somebody') })
  }

  /** What failed inside since this was asked last. */
  troubles(): readonly unknown[] {
    return this.#troubles.splice(0)
  }

  close(): void {
    this.#ledger.close()
  }

  #transact<T>(work: (tx: Transaction) => T): T {
    return this.#ledger.transact((tx) => work(noting(tx, this.#reserved)))
  }
}

/** Its methods as a plain object, whose `transact` is ours. */
function ledgerOf(ledger: SqliteLedger) {
  return {
    records: ledger.records.bind(ledger),
    policy: ledger.policy.bind(ledger),
    killOf: ledger.killOf.bind(ledger),
    pinsOf: ledger.pinsOf.bind(ledger),
    isSeenWhole: ledger.isSeenWhole.bind(ledger),
    close: ledger.close.bind(ledger),
  }
}

/** The transaction, with an ear for what is reserved in it. */
function noting(tx: Transaction, reserved: Reserved[]): Transaction {
  const reserve: Transaction['reserve'] = (decisionId, key, amount) => {
    const { id, measure } = key.counter
    const [policyId] = JSON.parse(key.key) as [string]
    reserved.push({ policyId, counter: id, isAmount: measure !== 'calls' && 'amount' in measure, amount })
    tx.reserve(decisionId, key, amount)
  }
  return new Proxy(tx, {
    get(target, name) {
      if (name === 'reserve') return reserve
      const member: unknown = Reflect.get(target, name, target)
      return typeof member === 'function' ? member.bind(target) : member
    },
  })
}

/** Nobody judges the records of a case again: the compiled policy need not be kept with them. */
function unkept(active: ActivePolicy | ActiveLayers): ActivePolicy | ActiveLayers {
  const encoded = () => new Uint8Array()
  if (!('layers' in active)) return { ...active, encoded }
  return { ...active, layers: active.layers.map((layer) => ({ ...layer, encoded })) }
}

function person(name: string): Approver {
  return { name, known_by: 'command_line' }
}
