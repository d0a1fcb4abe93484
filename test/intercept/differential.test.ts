/**
 * Beside Intercept itself: the same calls in the same order get the same allow and deny, and the same rule is named. Needs
 * the program `intercept` (v1.1.0) on the path, or its file in TOLLGATE_INTERCEPT.
 */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { withHandWritten } from '../../src/bundle/build.ts'
import { generate } from '../../src/codegen/generate.ts'
import { openCompiler } from '../../src/compile/compiler.ts'
import type { Decision } from '../../src/model/decision.ts'
import type { Policy } from '../../src/model/policy.ts'
import { Engine } from '../../src/pdp/engine.ts'
import type { ActivePolicy } from '../../src/pep/gate.ts'
import { formatDiagnostic, parsePolicy } from '../../src/policy/parse.ts'
import { openGateWith } from '../../src/runtime/open.ts'
import { fc, seed } from '../random.ts'
import { calls, policies, type RandomCall, type RandomPolicy } from './arbitrary.ts'
import { askIntercept, findIntercept, type Said } from './program.ts'

const rounds = Number(process.env['TOLLGATE_INTERCEPT_POLICIES'] ?? 100)
const callsPerPolicy = 100
const program = findIntercept()
let compiler: Awaited<ReturnType<typeof openCompiler>> | undefined
after(() => compiler?.close())
const missing = 'Intercept is not here: put `intercept` on the path, or its file into TOLLGATE_INTERCEPT'

test(`${rounds} random policies decide as Intercept does (seed ${seed})`, { skip: !program && missing }, async (t) => {
  const tally = new Map<string, number>()
  const randomPolicies = fc.sample(policies, { numRuns: rounds, seed })
  const randomCalls = fc.sample(calls, { numRuns: callsPerPolicy * 8, seed })
  for (const [round, policy] of randomPolicies.entries()) {
    const asked = Array.from(
      { length: callsPerPolicy },
      (_, index) => randomCalls[(round * 41 + index) % randomCalls.length] as RandomCall,
    )
    const { at, said } = withinOneMinute(() => askIntercept(program as string, JSON.stringify(policy), asked))
    const decided = await decide(policy, asked, at)
    for (const [index, decision] of decided.entries()) {
      const theirs = said[index] as Said
      const story = () =>
        JSON.stringify({ seed, round, index, policy, asked: asked.slice(0, index + 1), theirs, decision })
      assert.equal(decision.decision, theirs.result === 'allowed' ? 'allow' : 'deny', story())
      if (theirs.result === 'denied') sameRule(decision, theirs, story)
      tally.set(decision.reason_code, (tally.get(decision.reason_code) ?? 0) + 1)
    }
  }
  t.diagnostic(JSON.stringify(Object.fromEntries([...tally].sort())))
  // Policies that refuse or allow everything would agree about nothing.
  if (rounds < 50) return
  for (const code of [
    'ALLOW',
    'ARGUMENT_REJECTED',
    'COUNTER_REJECTED',
    'RATE_LIMITED',
    'SPEND_LIMIT_EXCEEDED',
    'TOOL_HIDDEN',
    'TOOL_NOT_ALLOWED',
  ])
    assert.ok((tally.get(code) ?? 0) > 0, `no random call was answered ${code}`)
})

/** Its windows follow the clock: what runs into the next minute is asked again, of an empty store. */
function withinOneMinute(ask: () => readonly Said[]): { at: number; said: readonly Said[] } {
  for (;;) {
    const at = Date.now()
    const said = ask()
    if (Math.floor(at / 60_000) === Math.floor(Date.now() / 60_000)) return { at, said }
  }
}

async function decide(written: RandomPolicy, asked: readonly RandomCall[], at: number): Promise<readonly Decision[]> {
  // Some of them have nothing that only Intercept has: these are read as native policies, and mean the same.
  const { policy, diagnostics } = parsePolicy({ file: 'random.json', text: JSON.stringify(written) })
  assert.ok(policy, `${diagnostics.map(formatDiagnostic).join('\n')}\n${JSON.stringify(written)}`)
  const report = (error: unknown) => assert.fail(error as Error)
  const { gate, ledger } = openGateWith({ ledgerFile: ':memory:', clock: () => at, report })
  gate.activate(await compiled(policy))
  const decided = asked.map(
    (call) =>
      gate.admit([
        { method: 'tools/call', server: 's', name: call.tool, arguments: call.arguments, principal: {}, session: '' },
      ])[0] as Decision,
  )
  ledger.close()
  return decided
}

async function compiled(policy: Policy): Promise<ActivePolicy> {
  const { modules, data, entrypoints } = generate(policy)
  compiler ??= await openCompiler()
  const base = data as Record<string, unknown>
  const { wasm } = await compiler.build({ modules: withHandWritten(modules), data: base, entrypoints })
  const engine = new Engine(wasm, data, entrypoints[0] as string)
  const evaluate = (input: string) => engine.evaluate(input)
  return { revision: 'random', policy, wasmDigest: '', sources: [], evaluate, encoded: () => new Uint8Array() }
}

/** What is refused while Intercept reserves is named in the message alone, or not at all. */
function sameRule(decision: Decision, { rule, message = '' }: Said, story: () => string): void {
  const named = rule ?? /^(?:no: |Rate limit exceeded for )(.*)$/.exec(message)?.[1]
  if (named === '(default deny)') assert.match(decision.rule, /^(?:\(default deny\)|default)$/, story())
  else if (named !== undefined) assert.equal(decision.rule, named, story())
  else if (message === 'Internal policy error') assert.equal(decision.reason_code, 'AMOUNT_INVALID', story())
  else assert.match(message, /^Rate limit of \d+ per (?:minute|hour|day) reached\. Try again later\.$/, story())
  if (message.startsWith('Denied by rule ') && !decision.message.startsWith('this call'))
    assert.equal(decision.message, message, story())
}
