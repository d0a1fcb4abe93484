/** What a gate records of random calls, and what becomes of it when they are judged again. */
import { encodeArtifact, sealArtifact } from '../../src/bundle/artifact.ts'
import { RecordedPolicies } from '../../src/cli/recordedPolicies.ts'
import { bodyOf } from '../../src/log/body.ts'
import type { ArgumentsKept } from '../../src/log/describe.ts'
import type { Call } from '../../src/model/call.ts'
import { canonical, type Json } from '../../src/model/canonical.ts'
import type { Decision } from '../../src/model/decision.ts'
import type { KillKind } from '../../src/model/kill.ts'
import { judgeEach, layersRevision } from '../../src/model/layers.ts'
import type { StoredRecord } from '../../src/model/ledger.ts'
import type { Policy } from '../../src/model/policy.ts'
import type { ActiveLayers, ActivePolicy } from '../../src/pep/active.ts'
import { Approvals } from '../../src/pep/approvals.ts'
import { Kills } from '../../src/pep/kills.ts'
import { evaluate } from '../../src/reference/evaluate.ts'
import type { RecordedEvent } from '../../src/replay/event.ts'
import { eventOf } from '../../src/replay/read.ts'
import { type Judgement, Replay } from '../../src/replay/replay.ts'
import { openGateWith } from '../../src/runtime/open.ts'

export type Active = ActivePolicy | ActiveLayers

/** Judged by the reference, which says what the compiled policy says: nothing has to be compiled. */
export function activeOf(policy: Policy): ActivePolicy {
  const parts = { compiler: { opa: '', digest: '' }, sources: [], policy, modules: {}, data: {}, entrypoint: '' }
  const artifact = sealArtifact({ ...parts, wasm: Buffer.from('') })
  return {
    revision: artifact.revision,
    policy,
    wasmDigest: artifact.wasmDigest,
    sources: [],
    evaluate: (input) => evaluate(policy, JSON.parse(input)),
    encoded: () => encodeArtifact(artifact),
  }
}

export function layersOf(policies: Readonly<Record<string, Policy>>): ActiveLayers {
  const layers = Object.entries(policies).map(([name, policy]) => ({ name, ...activeOf(policy) }))
  const policy = { layers: layers.map(({ name, policy: own }) => ({ name, policy: own })) }
  return {
    revision: layersRevision(layers),
    policy,
    layers,
    evaluate: (input) =>
      judgeEach(layers, JSON.parse(input), (layer, own) => layer.evaluate(canonical(own as unknown as Json))),
  }
}

/** What happens at a gate, one thing after the other. */
export type Step =
  | { readonly do: 'call' | 'check'; readonly call: Call; readonly ends: 'success' | 'error' | 'unknown' | 'open' }
  /** One of the requests that wait, of the newest. */
  | { readonly do: 'approve' | 'reject'; readonly of: number; readonly by: string }
  /** An earlier call is made again. */
  | { readonly do: 'again'; readonly of: number; readonly ends: 'success' | 'error' }
  | { readonly do: 'kill' | 'lift'; readonly kind: KillKind; readonly name: string }
  | { readonly do: 'list'; readonly server: string; readonly tools: readonly object[] }
  | { readonly do: 'wait'; readonly ms: number }

export interface Recorded {
  readonly records: readonly StoredRecord[]
  readonly events: readonly RecordedEvent[]
}

export const startedAt = Date.parse('2026-03-02T09:00:00.000Z')

export function record(active: Active, steps: readonly Step[], argumentsKept: ArgumentsKept = 'full'): Recorded {
  let at = startedAt
  const report = (error: unknown) => {
    throw error
  }
  const { gate, ledger, describe } = openGateWith({ ledgerFile: ':memory:', clock: () => at, argumentsKept, report })
  const approvals = new Approvals({ ledger, describe })
  let ids = 0
  const kills = new Kills({ ledger, describe, newId: () => `person-${++ids}` })
  const made: Call[] = []
  gate.activate(active)
  const end = ({ decision, decision_id }: Decision, ends: string) => {
    if (decision === 'allow' && ends !== 'open')
      gate.settle([{ decisionId: decision_id, status: ends as 'success' | 'error' | 'unknown' }])
  }
  const orNothing = (work: () => unknown) => {
    try {
      work()
    } catch {
      // who may not say so has said nothing
    }
  }
  for (const step of steps) {
    at += 1
    if (step.do === 'wait') at += step.ms
    if (step.do === 'check') gate.check(step.call)
    if (step.do === 'list') gate.listed({ ...step, isLast: true, principal: {}, session: '' })
    if (step.do === 'call') {
      end(gate.admit([step.call])[0] as Decision, step.ends)
      made.push(step.call)
    }
    const call = step.do === 'again' ? made.at(-1 - (step.of % Math.max(1, made.length))) : undefined
    if (step.do === 'again' && call) end(gate.admit([call])[0] as Decision, step.ends)
    if (step.do === 'approve' || step.do === 'reject') {
      const waiting = ledger.approvals(['pending'])
      const id = waiting.at(-1 - (step.of % Math.max(1, waiting.length)))?.request.id
      if (id !== undefined)
        orNothing(() => approvals[step.do](id, { by: { name: step.by, known_by: 'os_user' }, reason: 'random' }))
    }
    if (step.do === 'kill')
      kills.kill({ kind: step.kind, name: step.name }, { by: { name: 'ada', known_by: 'os_user' } })
    if (step.do === 'lift')
      orNothing(() => kills.lift({ kind: step.kind, name: step.name }, { by: { name: 'ada', known_by: 'os_user' } }))
  }
  const records = [...ledger.records()]
  const policies = new RecordedPolicies((revision) => ledger.policy(revision))
  const events = records.map((one) => eventOf(entryOf(one), (body) => policies.setOf(body)))
  ledger.close()
  return { records, events }
}

export function entryOf(record: StoredRecord) {
  const { kind, at, decisionId = '', seq: place } = record
  return { kind, at, decisionId, place, body: bodyOf(record) }
}

export function replayed(active: Active, events: readonly RecordedEvent[]): readonly Judgement[] {
  const replay = new Replay(active)
  return events.flatMap((event) => replay.take(event) ?? [])
}
