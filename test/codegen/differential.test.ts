/** The compiled policy and the reference evaluator must agree on every random policy and call. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { withHandWritten } from '../../src/bundle/build.ts'
import { generate } from '../../src/codegen/generate.ts'
import { openCompiler } from '../../src/compile/compiler.ts'
import type { Call } from '../../src/model/call.ts'
import { canonical, type Json } from '../../src/model/canonical.ts'
import type { Verdict } from '../../src/model/decision.ts'
import { amountsOf, inputOf } from '../../src/model/input.ts'
import type { FirstPolicy } from '../../src/model/ordered.ts'
import type { AllPolicy } from '../../src/model/policy.ts'
import { planFor } from '../../src/model/strategy.ts'
import { Engine } from '../../src/pdp/engine.ts'
import { evaluate } from '../../src/reference/evaluate.ts'
import { fc, seed } from '../random.ts'
import { calls, factsFrom, policies, usages } from './arbitrary.ts'
import { instants, orderedCalls, orderedPolicies } from './arbitraryOrdered.ts'

type Policy = AllPolicy | FirstPolicy

const decisions = Number(process.env['TOLLGATE_DIFFERENTIAL_DECISIONS'] ?? 100_000)
const callsPerPolicy = 1_000

type Case = { readonly call: Call; readonly used: readonly (number | undefined)[]; readonly at: number }

const compiler = await openCompiler()
after(() => compiler.close())

async function engineFor(policy: Policy): Promise<Engine> {
  const { modules, data, entrypoints } = generate(policy)
  const { wasm } = await compiler.build({
    modules: withHandWritten(modules),
    data: data as Record<string, unknown>,
    entrypoints,
  })
  return new Engine(wasm, data, entrypoints[0] as string)
}

interface Said {
  readonly compiled: Verdict
  readonly reference: Verdict
}

/** What each of the two says. What is held is asked again as approved, until nothing holds it any more, or they differ. */
function ask(policy: Policy, engine: Engine, found: Case): { readonly first: Said; readonly last: Said } {
  let first: Said | undefined
  for (let approved: readonly string[] | undefined; ; ) {
    const input = canonical(inputFor(policy, found, approved) as unknown as Json)
    const last = { compiled: engine.evaluate(input), reference: evaluate(policy, JSON.parse(input)) }
    first ??= last
    if (differ(last)) return { first, last }
    const { decision, hold = '' } = last.reference
    if (approved) approvedAsked[decision]++
    if (decision !== 'hold') return { first, last }
    assert.ok(hold !== '' && !approved?.includes(hold), 'what was approved holds still')
    approved = [...(approved ?? ['no such rule#0']), hold]
  }
}

function differ({ compiled, reference }: Said): boolean {
  return !isDeepStrictEqual(compiled, reference)
}

const approvedAsked = { allow: 0, hold: 0, deny: 0, kill: 0 }

/** Smaller policies and calls that still disagree, until nothing more can be left out. */
async function shrink(policy: Policy, found: Case): Promise<string> {
  let smallest = { policy, found }
  for (let again = true; again; ) {
    again = false
    for (const candidate of smallerOnes(smallest)) {
      const engine = await engineFor(candidate.policy)
      if (!differ(ask(candidate.policy, engine, candidate.found).last)) continue
      smallest = candidate
      again = true
      break
    }
  }
  const { last } = ask(smallest.policy, await engineFor(smallest.policy), smallest.found)
  return JSON.stringify({ ...smallest, ...last }, null, 1)
}

function* smallerOnes({ policy, found }: { policy: Policy; found: Case }): Generator<{ policy: Policy; found: Case }> {
  for (const smaller of smallerPolicies(policy)) yield { policy: smaller, found }
  for (const members of withoutOne(Object.entries(found.call.arguments))) {
    yield { policy, found: { ...found, call: { ...found.call, arguments: Object.fromEntries(members) } } }
  }
}

function* smallerPolicies(policy: Policy): Generator<Policy> {
  if (policy.strategy === 'first') {
    for (const rules of withoutOne(policy.rules)) yield { ...policy, rules }
    for (const [r, rule] of policy.rules.entries()) {
      for (const conditions of withoutOne(rule.conditions))
        yield { ...policy, rules: policy.rules.with(r, { ...rule, conditions }) }
    }
    return
  }
  for (const entries of withoutOne(policy.entries)) yield { ...policy, entries }
  for (const [e, entry] of policy.entries.entries()) {
    for (const rules of withoutOne(entry.rules))
      yield { ...policy, entries: policy.entries.with(e, { ...entry, rules }) }
    for (const [r, rule] of entry.rules.entries()) {
      for (const conditions of withoutOne(rule.conditions)) {
        const rules = entry.rules.with(r, { ...rule, conditions })
        yield { ...policy, entries: policy.entries.with(e, { ...entry, rules }) }
      }
    }
  }
}

function* withoutOne<T>(list: readonly T[]): Generator<readonly T[]> {
  for (const index of list.keys()) yield list.toSpliced(index, 1)
}

/** What the two agreed about, by reason code. */
async function compare(random: readonly Policy[], cases: readonly Case[]): Promise<Record<string, number>> {
  const tally = new Map<string, number>()
  for (const [round, policy] of random.entries()) {
    const engine = await engineFor(policy)
    for (let index = 0; index < callsPerPolicy; index++) {
      const found = cases[(round * 37 + index) % cases.length] as Case
      const { first, last } = ask(policy, engine, found)
      if (differ(last)) assert.fail(`seed ${seed}: ${await shrink(policy, found)}`)
      const { reason_code } = first.reference
      tally.set(reason_code, (tally.get(reason_code) ?? 0) + 1)
    }
  }
  return Object.fromEntries([...tally].sort())
}

/** A generator that never reaches a kind of answer would agree about nothing. */
function reaches(tally: Record<string, number>, codes: readonly string[]): void {
  assert.deepEqual([approvedAsked.deny, approvedAsked.kill], [0, 0], 'approving a call does not have it refused')
  if (decisions < 50_000) return
  assert.ok(approvedAsked.allow > 0, 'no held call was approved')
  for (const code of codes) assert.ok((tally[code] ?? 0) > 0, `no random call was answered ${code}`)
}

function sampled(count: number) {
  return { numRuns: Math.ceil(count / callsPerPolicy), seed }
}

test(`the compiled policy decides ${decisions} random calls as the reference does (seed ${seed})`, async (t) => {
  const cases = fc.sample(fc.record({ call: calls, used: usages, at: fc.constant(0) }), {
    numRuns: callsPerPolicy * 4,
    seed,
  })
  const tally = await compare(fc.sample(policies, sampled(decisions)), cases)
  t.diagnostic(`seed ${seed}; ${JSON.stringify(tally)}`)
  reaches(tally, [
    'ALLOW',
    'DENIED_BY_RULE',
    'ARGUMENT_REJECTED',
    'AMOUNT_INVALID',
    'RATE_LIMITED',
    'SPEND_LIMIT_EXCEEDED',
    'APPROVAL_REQUIRED',
    'TOOL_NOT_ALLOWED',
  ])
})

test(`so does one of ordered rules (seed ${seed})`, async (t) => {
  const cases = fc.sample(fc.record({ call: orderedCalls, used: fc.constant([]), at: instants }), {
    numRuns: callsPerPolicy * 4,
    seed,
  })
  const tally = await compare(fc.sample(orderedPolicies, sampled(decisions / 4)), cases)
  t.diagnostic(`seed ${seed}; ${JSON.stringify(tally)}`)
  reaches(tally, [
    'ALLOW',
    'DENIED_BY_RULE',
    'APPROVAL_REQUIRED',
    'ARGUMENT_UNCOMPARABLE',
    'TOOL_NOT_ALLOWED',
    'RESOURCE_NOT_ALLOWED',
    'PROMPT_NOT_ALLOWED',
  ])
})

test(`so does one of so many ordered rules that their chain is in pieces (seed ${seed})`, async () => {
  // Rules that let most calls pass on to those behind them.
  const narrow = fc
    .sample(orderedPolicies, { numRuns: 400, seed })
    .flatMap(({ rules }) => rules)
    .filter(({ conditions, match }) => conditions.length > 1 && match.type.includes('*'))
    .slice(0, 100)
    .map((rule, index) => ({ ...rule, name: `rule ${index}` }))
  const [some] = fc.sample(orderedPolicies, { numRuns: 1, seed })
  const policy = { ...(some as FirstPolicy), rules: narrow }
  const engine = await engineFor(policy)
  const random = fc.record({ call: orderedCalls, used: fc.constant([]), at: instants })
  const deciding = new Set<string>()
  for (const found of fc.sample(random, { numRuns: 1_000, seed })) {
    const { first, last } = ask(policy, engine, found)
    if (differ(last)) assert.fail(`seed ${seed}: ${await shrink(policy, found)}`)
    deciding.add(first.reference.rule)
  }
  const pieces = new Set([...deciding].map((rule) => Math.floor(Number(/\d+/.exec(rule)?.[0] ?? -1) / 25)))
  assert.ok(pieces.size > 2, [...deciding].join())
})

function inputFor(policy: Policy, { call, used, at }: Case, approved?: readonly string[]) {
  const plan = planFor(policy, call)
  return inputOf(
    call,
    plan,
    factsFrom(
      plan.counters.map(({ counter }) => counter.id),
      used,
    ),
    amountsOf(call, plan),
    at,
    approved,
  )
}
