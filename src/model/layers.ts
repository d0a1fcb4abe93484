/**
 * What the gate asks of what it decides by: one policy, or layers of them. Each layer judges the input that it would have
 * alone; of their answers the most restrictive one counts, and the highest risk.
 */
import { hash } from 'node:crypto'
import type { Approved, Facts, Input, LayeredInput } from './call.ts'
import { canonical, type Json } from './canonical.ts'
import { type LayerConflict, type LayerDecision, riskLevels, type Verdict } from './decision.ts'
import { strictestDemands } from './holds.ts'
import { project } from './input.ts'
import type { Target } from './match.ts'
import type { RunFacts } from './pack/run.ts'
import type { Plan } from './plan.ts'
import type { Layer, Layers, PolicySet } from './policy.ts'
import type { ReasonCode } from './reasons.ts'
import { planFor, serverNamed, visibility } from './strategy.ts'
import { targetOf } from './target.ts'
import { unionOf } from './union.ts'
import type { Visibility } from './visibility.ts'

export function isLayered(policy: PolicySet): policy is Layers {
  return 'layers' in policy
}

/** What judging a call of this target takes. */
export function planForSet(policy: PolicySet, target: Target): Plan {
  if (!isLayered(policy)) return planFor(policy, target)
  return unionOf(policy.layers.map(({ name, policy: own }) => ({ name, plan: planFor(own, target) })))
}

/** To whom may a list show the target? To those to whom every layer shows it. */
export function visibilityInSet(policy: PolicySet, target: Target): Visibility {
  if (!isLayered(policy)) return visibility(policy, target)
  const layers = policy.layers.map((layer) => visibility(layer.policy, target))
  return (principal) => layers.length > 0 && layers.every((shows) => shows(principal))
}

/** What in it speaks of a server by its name, if something does. */
export function serverNamedInSet(policy: PolicySet): string | undefined {
  if (!isLayered(policy)) return serverNamed(policy)
  for (const layer of policy.layers) {
    const named = serverNamed(layer.policy)
    if (named !== undefined) return named
  }
  return undefined
}

/** Asks each layer with the input that it would have alone. */
export function judgeEach<L extends Layer>(
  layers: readonly L[],
  recorded: LayeredInput,
  ask: (layer: L, input: Input) => Verdict,
): LayersVerdict {
  const target = targetOf(recorded)
  return combined(
    layers.map((layer) => {
      const own = layerInput(recorded, layer.name, planFor(layer.policy, target))
      return { name: layer.name, verdict: ask(layer, own) }
    }),
  )
}

/**
 * The input that a layer would have alone, out of the one that is recorded. `plan` is its own, for the same target. Every
 * member is named, so that the compiler finds one that an input may gain later.
 */
export function layerInput(recorded: LayeredInput, name: string, plan: Plan): Input {
  const { approved, arguments: args, amounts, facts, run, texts = {}, words = {}, ...same } = recorded
  const own: Pick<Input, Exclude<keyof Input, SameInAllLayers>> = {
    amounts: picked(
      amounts,
      plan.amounts.map(({ text }) => text),
    ),
    arguments: project(args, plan.shape),
    ...(approved && Object.hasOwn(approved, name) && { approved: approved[name] as Approved }),
    facts: Object.hasOwn(facts, name) ? (facts[name] as Facts) : {},
    ...(run && Object.hasOwn(run, name) && { run: run[name] as RunFacts }),
    ...(plan.texts && { texts: picked(texts, plan.texts) }),
    ...(plan.words && { words: picked(words, [...plan.words].sort()) }),
  }
  return { ...(same satisfies Pick<Input, SameInAllLayers>), ...own }
}

type SameInAllLayers = 'v' | 'method' | 'server' | 'tool' | 'resource' | 'prompt' | 'principal' | 'session' | 'time'

function picked<T>(from: Readonly<Record<string, T>>, keys: readonly string[]): Readonly<Record<string, T>> {
  return Object.fromEntries(keys.flatMap((key) => (Object.hasOwn(from, key) ? [[key, from[key] as T]] : [])))
}

/** The verdict of one layer. */
export interface LayerVerdict {
  readonly name: string
  readonly verdict: Verdict
}

/** What the layers say together. */
export interface LayersVerdict extends Omit<Verdict, 'counter' | 'hold'> {
  readonly layers: readonly LayerDecision[]
  readonly conflicts: readonly LayerConflict[]
  /** The layer whose decision counts; absent when there is no layer. */
  readonly layer?: string
  /** The counters without room, one of each layer that refuses; none when one refuses for a reason that no waiting ends. */
  readonly full: readonly { readonly layer: string; readonly counter: string }[]
  /** What holds the call, of each layer that does; none when one of them waits for what no approval given here clears. */
  readonly holds: readonly { readonly layer: string; readonly hold: string }[]
}

/** What counts more stands later. */
const strictness: readonly Verdict['decision'][] = ['allow', 'hold', 'deny', 'kill']

/** The first of the most restrictive decides; without any layer nothing is allowed. */
export function combined(verdicts: readonly LayerVerdict[]): LayersVerdict {
  const strictest = strictness.findLast((decision) => verdicts.some(({ verdict }) => verdict.decision === decision))
  const deciding = verdicts.filter(({ verdict }) => verdict.decision === strictest)
  const [first] = deciding
  if (!first) return { ...noLayer, layers: [], conflicts: [], full: [], holds: [] }
  const { decision, variant, reason_code, rule, message } = first.verdict
  const risk = riskLevels.findLast((level) => verdicts.some(({ verdict }) => verdict.risk_level === level))
  const demands = decision === 'hold' ? strictestDemands(deciding.map((one) => one.verdict)) : undefined
  return {
    decision,
    ...(variant && { variant }),
    reason_code,
    rule,
    message,
    ...(risk && { risk_level: risk }),
    ...demands,
    layers: verdicts.map(({ name, verdict }) => layerDecision(name, verdict)),
    conflicts: verdicts
      .filter(({ verdict }) => verdict.decision !== strictest)
      .map(({ name, verdict }) => ({ layer: name, decision: verdict.decision, overruled_by: first.name })),
    layer: first.name,
    full: fullCounters(deciding),
    holds: decision === 'hold' ? holdsOf(deciding) : [],
  }
}

const noLayer = {
  decision: 'deny',
  reason_code: 'POLICY_UNAVAILABLE' satisfies ReasonCode,
  rule: 'gate',
  message: 'no valid policy is loaded',
} as const

function layerDecision(name: string, { decision, reason_code, rule, risk_level }: Verdict): LayerDecision {
  return { name, decision, reason_code, rule, ...(risk_level && { risk_level }) }
}

/** A person's yes is one for every layer that asked. */
function holdsOf(holding: readonly LayerVerdict[]): LayersVerdict['holds'] {
  const holds = holding.flatMap(({ name, verdict: { hold } }) => (hold === undefined ? [] : [{ layer: name, hold }]))
  return holds.length === holding.length ? holds : []
}

function fullCounters(deciding: readonly LayerVerdict[]): LayersVerdict['full'] {
  const full = deciding.flatMap(({ name, verdict: { counter } }) =>
    counter === undefined ? [] : [{ layer: name, counter }],
  )
  return full.length === deciding.length ? full : []
}

/** One revision for all of them: SHA-256 over their names and revisions, lower-case hex. */
export function layersRevision(layers: readonly { readonly name: string; readonly revision: string }[]): string {
  return hash('sha256', canonical(layers.map(({ name, revision }) => [name, revision]) as unknown as Json))
}
