/** Decisions on their way through a proof: each is held against its own record, and made again by its own policy. */
import { type Body, objectIn, textIn } from '../log/body.ts'
import { layersNamedIn, type NamedLayer, policyNamedIn } from '../log/policies.ts'
import { contradictionIn, differenceBetween, inputTextOf } from '../log/proof.ts'
import type { LayeredInput } from '../model/call.ts'
import { messageOf } from '../model/errors.ts'
import type { StoredRecord } from '../model/ledger.ts'
import { type KeptPolicies, requireName } from './auditPolicies.ts'
import type { Findings } from './auditReport.ts'

export class JudgedAgain {
  readonly #policies: KeptPolicies
  readonly #findings: Findings
  readonly byGate = new Map<string, number>()
  readonly revisions = new Map<string, number>()

  constructor(policies: KeptPolicies, findings: Findings) {
    this.#policies = policies
    this.#findings = findings
  }

  /** Decisions that were made again; one of several layers counts for the revision of each. */
  evaluated = 0

  judge(record: StoredRecord, body: Body): void {
    const input = inputTextOf(body)
    this.#findings.of(record.seq, 'record', contradictionIn(record, body, input))
    if (input === undefined) count(this.byGate, textIn(objectIn(body, 'result'), 'reason_code') ?? '')
    else this.#evaluate(record.seq, body, input)
  }

  activate({ seq }: StoredRecord, body: Body): void {
    this.#attempt(seq, () => this.#policies.activate(body))
  }

  #evaluate(seq: number, body: Body, input: string): void {
    const layers = layersNamedIn(body)
    if (layers) {
      this.#evaluateLayers(seq, body, layers)
      return
    }
    const named = policyNamedIn(body)
    if (!named) return // a contradiction, which was found already
    const verdict = this.#attempt(seq, () => this.#policies.engineOf(named).evaluate(input))
    if (!verdict) return
    count(this.revisions, named.revision)
    this.evaluated++
    this.#findings.of(seq, 'decision', differenceBetween(body, verdict))
  }

  #evaluateLayers(seq: number, body: Body, layers: readonly NamedLayer[]): void {
    const asked = this.#attempt(seq, () => {
      const { verdict, deciding } = this.#policies.askLayers(layers, body['input'] as LayeredInput)
      const [id, version] = [textIn(body, 'policy_id') ?? '', textIn(body, 'policy_version') ?? '']
      const revision = layers.find(({ name }) => name === verdict.layer)?.revision ?? ''
      if (deciding) requireName(deciding, { id, version, revision })
      return verdict
    })
    if (!asked) return
    for (const { revision } of layers) count(this.revisions, revision)
    this.evaluated++
    this.#findings.of(seq, 'decision', differenceBetween(body, asked))
  }

  #attempt<T>(seq: number, work: () => T): T | undefined {
    try {
      return work()
    } catch (thrown) {
      this.#findings.of(seq, 'policy', messageOf(thrown))
      return undefined
    }
  }
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}
