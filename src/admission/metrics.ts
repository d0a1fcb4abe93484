/** What Prometheus is told of a gate: counts of what it decided and how long that took, and how it stands when it is asked. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { Decision } from '../model/decision.ts'
import type { Gate } from '../pep/gate.ts'
import type { Gatekeeper } from '../pep/gatekeeper.ts'
import { labelValuesMax } from './limits.ts'
import type { AdmissionGate } from './ports.ts'

/** How it stands; each is asked anew. What cannot be told is left out. */
export interface Standing {
  readonly held_calls: () => number
  readonly approvals_pending: () => number
  readonly runs_registered: () => number
  readonly files_unread: () => number
  readonly kills: () => number
  readonly ledger_bytes: () => number
  readonly ledger_records: () => number
}

/** How it stands with a bundle, as far as Prometheus is told. */
interface BundleStanding {
  readonly active_revision: string
  readonly sequence?: number
  readonly last_successful_request?: string
  readonly code?: string
}

export interface MeasuredBundles {
  readonly status: () => Readonly<Record<string, BundleStanding>>
  readonly onFailure: (listener: (name: string, code: string) => void) => void
}

const bundleGauges: readonly {
  readonly name: string
  readonly help: string
  readonly ask: (standing: BundleStanding) => number | undefined
}[] = [
  {
    name: 'bundle_failing',
    help: 'Did the last question for a bundle fail?',
    ask: ({ code }) => (code === undefined ? 0 : 1),
  },
  {
    name: 'bundle_sequence',
    help: 'The sequence of a bundle that decides.',
    ask: ({ sequence }) => sequence,
  },
  {
    name: 'bundle_last_request_success_seconds',
    help: 'When the place of a bundle answered last, since 1970.',
    ask: ({ last_successful_request: at }) => (at === undefined ? undefined : Date.parse(at) / 1_000),
  },
]

const helps: Readonly<Record<keyof Standing, string>> = {
  held_calls: 'Calls that are kept open for a person.',
  approvals_pending: 'Requests that wait for a person.',
  runs_registered: 'Runs that are registered.',
  files_unread: 'Files of keys and credentials that cannot be read again.',
  kills: 'What is stopped.',
  ledger_bytes: 'Size of the ledger, without its write-ahead log.',
  ledger_records: 'Records in the ledger.',
}

export class Metrics {
  readonly #registry = new Registry()
  readonly #labels = { reason_code: new Set<string>(), server: new Set<string>() }
  readonly #decisions = this.#counter('decisions_total', 'Decisions, checks and refusals of messages.', [
    'kind',
    'decision',
    'reason_code',
    'method',
    'server',
  ])
  readonly #outcomes = this.#counter('outcomes_total', 'How allowed calls ended.', ['status'])
  readonly #took = new Histogram({
    name: 'tollgate_decision_seconds',
    help: 'From the question to the recorded decision; calls that arrive together share it.',
    buckets: [0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.05, 0.25, 1, 5],
    registers: [this.#registry],
  })

  /** Beside the gate, from when it opens. */
  constructor(gate: Gate, standing: Standing) {
    const changes = this.#counter('policy_activations_total', 'Policies that became active, or were taken away.', [])
    const failures = this.#counter('policy_failures_total', 'Policies that did not become active.', [])
    // What is pinned changes what lists show, and is told to the same listeners.
    let { revision } = gate
    gate.onPolicyChange(() => {
      if (gate.revision !== revision) changes.inc()
      revision = gate.revision
    })
    gate.onActivationFailure(() => failures.inc())
    this.#gauge('policy_info', 'The policy that decides, by its revision.', ['revision'], (gauge) => {
      gauge.reset()
      gauge.set({ revision: gate.revision }, 1)
    })
    for (const [name, ask] of Object.entries(standing) as [keyof Standing, () => number][])
      this.#gauge(name, helps[name], [], (gauge) => {
        gauge.reset()
        const value = answerOf(ask)
        if (value !== undefined) gauge.set(value)
      })
  }

  /** Also of the bundles that the policy comes in. */
  watch({ status, onFailure }: MeasuredBundles): void {
    const failures = this.#counter(
      'bundle_failures_total',
      'Questions for a bundle that brought none that may decide.',
      ['bundle', 'code'],
    )
    onFailure((bundle, code) => failures.inc({ bundle, code }))
    this.#gauge('bundle_info', 'The revision of a bundle that decides.', ['bundle', 'revision'], (gauge) => {
      gauge.reset()
      for (const [bundle, { active_revision: revision }] of Object.entries(status())) gauge.set({ bundle, revision }, 1)
    })
    for (const { name, help, ask } of bundleGauges)
      this.#gauge(name, help, ['bundle'], (gauge) => {
        gauge.reset()
        for (const [bundle, standing] of Object.entries(status())) {
          const value = ask(standing)
          if (value !== undefined) gauge.set({ bundle }, value)
        }
      })
  }

  text(): Promise<string> {
    return this.#registry.metrics()
  }

  /** The same gate, counted. */
  counted(gate: Gate): Gatekeeper & AdmissionGate {
    return {
      admit: (calls) => {
        const end = this.#took.startTimer()
        const decisions = gate.admit(calls)
        end()
        for (const [index, decision] of decisions.entries()) this.#count('call', decision, calls[index])
        return decisions
      },
      check: (call) => {
        const decision = gate.check(call)
        this.#count('check', decision, call)
        return decision
      },
      refuse: (refusals) => {
        const decisions = gate.refuse(refusals)
        // The method of a message that is refused may be any text.
        for (const [index, decision] of decisions.entries())
          this.#count('refusal', decision, { method: '', server: refusals[index]?.server ?? '' })
        return decisions
      },
      settle: (outcomes) => {
        gate.settle(outcomes)
        for (const { status } of outcomes) this.#outcomes.inc({ status })
      },
      flush: () => gate.flush(),
      get active() {
        return gate.active
      },
      visible: (target, principal) => gate.visible(target, principal),
      listed: (list) => gate.listed(list),
      onPolicyChange: (listener) => gate.onPolicyChange(listener),
      stopped: (who) => gate.stopped(who),
      onKill: (listener) => gate.onKill(listener),
    }
  }

  #count(
    kind: 'call' | 'check' | 'refusal',
    { decision, reason_code }: Decision,
    about: { readonly method: string; readonly server: string } | undefined,
  ): void {
    const { method = '', server = '' } = about ?? {}
    const { reason_code: reasons, server: servers } = this.#labels
    this.#decisions.inc({
      kind,
      decision,
      reason_code: bounded(reasons, reason_code),
      method,
      server: bounded(servers, server),
    })
  }

  #counter(name: string, help: string, labelNames: readonly string[]): Counter {
    return new Counter({ name: `tollgate_${name}`, help, labelNames: [...labelNames], registers: [this.#registry] })
  }

  #gauge(name: string, help: string, labelNames: readonly string[], collect: (gauge: Gauge) => void): void {
    new Gauge({
      name: `tollgate_${name}`,
      help,
      labelNames: [...labelNames],
      registers: [this.#registry],
      collect() {
        collect(this)
      },
    })
  }
}

/** A caller may name as many servers as it likes, and a policy has words of its own. */
function bounded(seen: Set<string>, value: string): string {
  if (seen.has(value)) return value
  if (seen.size >= labelValuesMax) return 'other'
  seen.add(value)
  return value
}

function answerOf(ask: () => number): number | undefined {
  try {
    return ask()
  } catch {
    return undefined
  }
}
