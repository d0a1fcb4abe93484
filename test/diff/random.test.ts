/**
 * Random policies and a small change of each. Whatever call is decided otherwise, `diff` must not have said that none is;
 * and every example that it shows is one.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Change } from '../../src/diff/changes.ts'
import { compare, type Found } from '../../src/diff/compare.ts'
import { isPartOf } from '../../src/diff/counts.ts'
import { judged } from '../../src/diff/judge.ts'
import { type Side, sideOf } from '../../src/diff/side.ts'
import type { Call, Principal } from '../../src/model/call.ts'
import { isFor } from '../../src/model/callers.ts'
import { matchesGlob } from '../../src/model/fnmatch.ts'
import { matchingEntries, type Target } from '../../src/model/match.ts'
import type { FirstPolicy } from '../../src/model/ordered.ts'
import type { AllPolicy, Counter, Path, PolicySet } from '../../src/model/policy.ts'
import { countersIn } from '../../src/model/strategy.ts'
import { calls, policies, usages } from '../codegen/arbitrary.ts'
import { instants, orderedCalls, orderedPolicies } from '../codegen/arbitraryOrdered.ts'
import { fc, seed } from '../random.ts'
import { argumentsAt, changedAll, changedFirst, ofAnyTool, ofOneTool, pathsIn, randomFrom } from './arbitrary.ts'

interface Case {
  readonly call: Call
  readonly used: readonly (number | undefined)[]
  readonly at: number
}

const never = { deadline: () => () => false }

/** More of them with time: `TOLLGATE_DIFFERENTIAL_DECISIONS`, as of the tests of the compiled policy. */
const scale = Number(process.env['TOLLGATE_DIFFERENTIAL_DECISIONS'] ?? 100_000) / 100_000

const some = (count: number) => Math.ceil(count * scale)

const allCases = fc.sample(fc.record({ call: calls, used: usages, at: fc.constant(0) }), { numRuns: 1_500, seed })
const firstCases = fc.sample(fc.record({ call: orderedCalls, used: fc.constant([]), at: instants }), {
  numRuns: 1_000,
  seed,
})

/** How often a random call was decided otherwise, and how. */
const seen = { 'newly-allowed': 0, 'newly-held': 0, 'newly-denied': 0 }
let proved = 0
let shown = 0

/** Calls of one tool, at any hour, before which something was counted. */
function casesAt(paths: readonly Path[], random: () => number): readonly Case[] {
  return Array.from({ length: 40 }, (_, index) => ({
    call: { ...oneCall, arguments: argumentsAt(paths, random) },
    used: [0, 1, 2, 3, 5_000_000, 4_999_999, 0].map((one) => (index % 2 === 0 ? 0 : one)),
    at: (firstCases[index] as Case).at,
  }))
}

const oneCall: Call = { method: 'tools/call', server: 'fs', name: 'pay', arguments: {}, principal: {}, session: '' }

let turn = 0

function holds(old: PolicySet, now: PolicySet, all: readonly Case[], count: number): void {
  const start = (turn++ * 37) % all.length
  const cases = [...all.slice(start), ...all.slice(0, start)].slice(0, count)
  const sides = [sideOf(old), sideOf(now)] as readonly Side[] as readonly [Side, Side]
  const { found, unproved } = compare(...sides, never)
  assert.deepEqual(unproved, [])
  const known = new Map<string, Found>()
  for (const one of found) {
    assert.deepEqual(one.faults, [], JSON.stringify({ old, now }))
    for (const change of one.changes) assertShown(change, sides)
    known.set(classOf(sides, one.target.target, one.principal), one)
    shown += one.changes.length
    proved += one.unproved === undefined ? 1 : 0
  }
  for (const { call, used, at } of cases) {
    const example = { call: lineOf(call, at), counts: countsFrom(sides, used) }
    const [was, is] = sides.map((side) => saidOf(side, example)) as [Said, Said]
    if (was === undefined || is === undefined || was === is) continue
    const kind = is === 'allow' ? 'newly-allowed' : is === 'hold' ? 'newly-held' : 'newly-denied'
    const one =
      known.get(classOf(sides, call, call.principal)) ??
      known.get(classOf(sides, call, {})) ??
      known.get(classOf(sides, call))
    const hasSaid = one && (one.unproved !== undefined || one.changes.some((change) => change.kind === kind))
    assert.ok(
      hasSaid,
      `seed ${seed}: ${JSON.stringify({ kind, example, counts: [...example.counts], found: one, old, now })}`,
    )
    seen[kind]++
  }
}

type Said = string | undefined

/** Undefined for a call that nobody can make. */
function saidOf(side: Side, example: Parameters<typeof judged>[1]): Said {
  try {
    return judged(side, example, undefined).decision
  } catch {
    return undefined // its name, or that of its caller
  }
}

function assertShown({ kind, example }: Change, sides: readonly [Side, Side]): void {
  const [was, is] = sides.map((side) => saidOf(side, example))
  assert.notEqual(was, is)
  assert.equal(kind, is === 'allow' ? 'newly-allowed' : is === 'hold' ? 'newly-held' : 'newly-denied')
}

function lineOf({ method, server, name, arguments: args, principal }: Call, at: number) {
  const noun = method === 'tools/call' ? 'tool' : method === 'prompts/get' ? 'prompt' : 'resource'
  return { server, [noun]: name, arguments: args, principal, time: new Date(at).toISOString() }
}

/** Counters count up by their steps, and what counts a part of the calls stands no higher. */
function countsFrom(sides: readonly Side[], used: readonly (number | undefined)[]): ReadonlyMap<string, number> {
  const counters = new Map(
    sides.flatMap(({ layers }) =>
      layers.flatMap(({ policy }) => countersIn(policy).map((one) => [one.id, one] as const)),
    ),
  )
  const counts = new Map<string, number>()
  let index = 0
  for (const { id, measure } of counters.values()) {
    const step = typeof measure === 'object' && 'step' in measure ? measure.step : 1
    counts.set(id, (used[index++ % used.length] ?? 0) * step)
  }
  const all = [...counters.values()]
  for (let round = 0; round < all.length; round++)
    for (const one of all) for (const other of all) if (isPartOf(one, other)) raise(counts, one, other)
  return counts
}

function raise(counts: Map<string, number>, one: Counter, other: Counter): void {
  counts.set(other.id, Math.max(counts.get(other.id) ?? 0, counts.get(one.id) ?? 0))
}

/** What the policies can tell of target and caller: two of one class are one to them. */
function classOf(sides: readonly Side[], target: Target, principal?: Principal): string {
  const policiesOf = sides.flatMap(({ layers }) => layers.map(({ policy }) => policy))
  return JSON.stringify([target.method, ...policiesOf.map((policy) => classIn(policy, target, principal))])
}

function classIn(policy: AllPolicy | FirstPolicy, target: Target, principal?: Principal): unknown {
  if (policy.strategy === 'first')
    return policy.rules.map(({ match }) => {
      const isAbout = matchesGlob(match.type, target.name) && matchesGlob(match.target, target.server)
      return isAbout && (principal ? matchesGlob(match.agent, principal.agent || '*') : 'anybody')
    })
  const about = matchingEntries(policy, target)
  const callers = about.flatMap((entry) => [entry.for, ...entry.rules.map((rule) => rule.for)])
  return [
    policy.entries.map((entry) => about.includes(entry)),
    callers.map((one) => (principal ? isFor(one, principal) : 'anybody')),
  ]
}

test(`no random call is decided otherwise that is not told (seed ${seed})`, () => {
  const random = randomFrom(seed)
  for (const policy of fc.sample(policies, { numRuns: some(8), seed }))
    holds(policy, changedAll(policy, random), allCases, 250)
})

test(`nor of one tool, with something at each place where its rules look (seed ${seed})`, () => {
  const random = randomFrom(seed)
  const list = fc.sample(policies, { numRuns: some(36), seed: seed + 3 }).flatMap(ofOneTool)
  for (const policy of list) {
    const now = changedAll(policy, random)
    holds(policy, now, casesAt([...pathsIn(policy), ...pathsIn(now)], random), 40)
  }
})

test(`nor of ordered rules about every tool (seed ${seed})`, () => {
  const random = randomFrom(seed)
  for (const policy of fc.sample(orderedPolicies, { numRuns: some(80), seed: seed + 3 }).map(ofAnyTool)) {
    const now = changedFirst(policy, random)
    holds(policy, now, casesAt([...pathsIn(policy), ...pathsIn(now)], random), 40)
  }
})

test(`nor between policies that have nothing to do with each other (seed ${seed})`, () => {
  const list = fc.sample(policies, { numRuns: 2 * some(5), seed: seed + 1 })
  for (let index = 0; index < list.length; index += 2)
    holds(list[index] as AllPolicy, list[index + 1] as AllPolicy, allCases, 100)
})

test(`nor with ordered rules (seed ${seed})`, () => {
  const random = randomFrom(seed)
  for (const policy of fc.sample(orderedPolicies, { numRuns: some(8), seed }))
    holds(policy, changedFirst(policy, random), firstCases, 200)
})

test(`nor with layers of both kinds (seed ${seed})`, () => {
  const random = randomFrom(seed)
  const all = fc.sample(policies, { numRuns: some(6), seed: seed + 2 })
  const first = fc.sample(orderedPolicies, { numRuns: some(6), seed: seed + 2 })
  for (const [index, org] of all.entries()) {
    const team = first[index] as FirstPolicy
    const layersOf = (one: AllPolicy, other: FirstPolicy) => ({
      layers: [
        { name: 'org', policy: one },
        { name: 'team', policy: other },
      ],
    })
    const now = index % 2 === 0 ? layersOf(changedAll(org, random), team) : layersOf(org, changedFirst(team, random))
    holds(layersOf(org, team), now, [...firstCases.slice(0, 300), ...allCases.slice(0, 300)], 100)
  }
})

test('calls of every kind were decided otherwise, and proofs were given', (t) => {
  t.diagnostic(JSON.stringify({ seen, proved, shown }))
  for (const [kind, count] of Object.entries(seen)) assert.ok(count > 50 * scale, `${kind} ${count}`)
  assert.ok(proved > 200 * scale && shown > 50 * scale, `${proved} ${shown}`)
})
