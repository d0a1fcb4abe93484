/**
 * A first case file for a policy: calls that its rules allow, deny, hold and limit, with what the policy does now. Each case
 * was played before it is written, and the file was read back and run.
 */
import type { Principal } from '../../model/call.ts'
import { TollgateError } from '../../model/errors.ts'
import { isLayered } from '../../model/layers.ts'
import type { Policy } from '../../model/policy.ts'
import { needsModel } from '../../model/rego.ts'
import type { LoadedSet, PolicyChoice } from '../../runtime/policySet.ts'
import { readCases } from '../caseFile/read.ts'
import { usualStartMs } from '../caseFile/shared.ts'
import { playSuite } from '../play.ts'
import { sketchesOfAll } from './all.ts'
import { afterFacts, atTheEdge } from './edge.ts'
import { sketchesOfFirst } from './first.ts'
import { type PlayedCase, playedSketch } from './play.ts'
import type { Sketch, Sketches } from './sketch.ts'
import { caseFileText } from './write.ts'

export interface Generated {
  readonly text: string
  readonly count: number
  /** What no case was found for, as sentences. */
  readonly missed: readonly string[]
}

/** `policy` has the paths as they are to stand in the file. Throws `not_generated` for what has no calls of its own. */
export function generatedCases(loaded: LoadedSet, policy: PolicyChoice): Generated {
  const parts = isLayered(loaded.policy) ? loaded.policy.layers.map((layer) => layer.policy) : [loaded.policy]
  const somebody = somebodyFor(parts)
  const found = parts.map((part) => sketchesOf(part, somebody))
  const active = loaded.active()
  const played = distinct(found.flatMap(({ sketches }) => sketches)).map((sketch) => ({
    sketch,
    result: isFed(sketch) ? afterFacts(sketch, active) : playedSketch(sketch, active),
  }))
  const cases = played
    .flatMap(({ result }) => result ?? [])
    .flatMap((one) => [one, atTheEdge(one, active) ?? []].flat())
  const missed = [
    ...found.flatMap((part) => part.missed),
    ...played.filter(({ result }) => !result).map(({ sketch }) => sketch.name),
  ]
  return written(cases, missed, { loaded, policy, somebody }, head(missed))
}

function isFed({ next }: Sketch): boolean {
  return typeof next === 'object' && next.fedBy !== undefined
}

function head(missed: readonly string[]): readonly string[] {
  return [
    'Written by `tollgate test --generate`. Each case says what the policy does now; whether it should is yours to say.',
    ...(missed.length === 0 ? [] : ['No call was found for:', ...missed.map((one) => `- ${one}`)]),
  ]
}

export interface WrittenFor {
  readonly loaded: LoadedSet
  readonly policy: PolicyChoice
  readonly somebody: Principal
}

/** Throws `not_generated` where a case that was written does not do what it did: that would be a mistake of ours. */
export function written(
  cases: readonly PlayedCase[],
  missed: readonly string[],
  { loaded, policy, somebody }: WrittenFor,
  notes: readonly string[],
): Generated {
  const text = caseFileText({ policy, cases, somebody, notes })
  const { suite, diagnostics } = readCases({ file: 'generated', text, beside: nothingBeside, policy })
  if (!suite)
    throw new TollgateError('not_generated', `what was written is no case file: ${diagnostics[0]?.message ?? ''}`)
  const wrong = playSuite(suite, loaded.active()).find(({ status }) => status !== 'passed')
  if (wrong) throw new TollgateError('not_generated', `the case \`${wrong.name}\` does not do twice what it did once`)
  return { text, count: cases.length, missed }
}

function nothingBeside(): never {
  throw new Error('nothing stands beside it')
}

function sketchesOf(policy: Policy, somebody: Principal): Sketches {
  switch (policy.strategy) {
    case 'all':
      return sketchesOfAll(policy, somebody, usualStartMs)
    case 'first':
      return sketchesOfFirst(policy, somebody, usualStartMs)
    case 'pack':
      throw new TollgateError(
        'not_generated',
        'a policy pack decides by runs, which it does not make up: write cases from recorded decisions, with `--from LEDGER`',
      )
    case 'rego':
      throw needsModel(policy, '`--generate` without `--from`')
  }
  return policy satisfies never
}

/** All is known of the caller that some rule asks for: what is not known is refused. */
function somebodyFor(policies: readonly Policy[]): Principal {
  const text = JSON.stringify(policies.map((policy) => (policy.strategy === 'all' ? policy.entries : [])))
  const asks = (field: string) => text.includes(`"${field}":[{"kind"`)
  return {
    agent: 'some-agent',
    ...(asks('groups') && { groups: ['some-group'] }),
    ...(asks('project') && { project: 'some-project' }),
    user: 'some-user',
  }
}

/** Of calls that are the same and end the same way, one is enough. */
function distinct(sketches: Sketches['sketches']): Sketches['sketches'] {
  const byCall = new Map<string, Sketches['sketches'][number]>()
  for (const sketch of sketches) {
    const key = JSON.stringify([sketch.attempt, sketch.next ?? null])
    if (!byCall.has(key)) byCall.set(key, sketch)
  }
  return [...byCall.values()]
}
