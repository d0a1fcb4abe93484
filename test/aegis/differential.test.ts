/**
 * The compiled policy decides as agent-aegis 1.0.0 does: decision, risk and rule, for random files and actions. Where
 * Aegis raises a `TypeError` and decides nothing, the gate refuses.
 */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { type Artifact, sealArtifact } from '../../src/bundle/artifact.ts'
import { withHandWritten } from '../../src/bundle/build.ts'
import { readCallLine } from '../../src/cli/callLine.ts'
import { generate } from '../../src/codegen/generate.ts'
import { openCompiler } from '../../src/compile/compiler.ts'
import type { Decision } from '../../src/model/decision.ts'
import type { Policy } from '../../src/model/policy.ts'
import { parsePolicy } from '../../src/policy/parse.ts'
import { openGateWith } from '../../src/runtime/open.ts'
import { activePolicy } from '../../src/runtime/policyFile.ts'
import { fc, seed } from '../random.ts'
import { type Asked, actions, type File, files, type Rule } from './arbitrary.ts'
import { Aegis, type Answer, whyNoAegis } from './python.ts'

const decisions = Number(process.env['TOLLGATE_AEGIS_DECISIONS'] ?? 20_000)
const actionsPerFile = 200

const skip = whyNoAegis()
const aegis = skip === false ? new Aegis() : undefined
const compiler = await openCompiler()
after(() => {
  aegis?.close()
  compiler.close()
})

/** JSON is YAML, to both; PyYAML wants this one character escaped. */
const textOf = (file: File) => JSON.stringify(file).replaceAll('\uffff', '\\uffff')

function read(file: File): { readonly policy?: Policy; readonly mistakes: readonly string[] } {
  const { policy, diagnostics } = parsePolicy({ file: 'random.yaml', text: textOf(file) })
  const mistakes = diagnostics.filter(({ severity }) => severity === 'error').map(({ message }) => message)
  return policy ? { policy, mistakes } : { mistakes }
}

/** Only what we load can be compared: rules that we refuse are left out, and counted by what is wrong with them. */
function loadable(file: File, refused: Map<string, number>): { file: File; policy: Policy } | undefined {
  const rules = file.rules.filter((rule) => {
    const { mistakes } = read({ ...file, rules: [rule] })
    for (const mistake of mistakes) {
      const kind = mistake.replace(/`[^`]*`|"[^"]*"/g, '…')
      refused.set(kind, (refused.get(kind) ?? 0) + 1)
    }
    return mistakes.length === 0
  })
  const { policy } = read({ ...file, rules })
  return policy && { file: { ...file, rules }, policy }
}

/** Built in this process: there are many of them. */
async function compiled(policy: Policy): Promise<Artifact> {
  const { modules: generated, data, entrypoints } = generate(policy)
  const modules = withHandWritten(generated)
  const { wasm } = await compiler.build({ modules, data: data as Record<string, unknown>, entrypoints })
  const [entrypoint = ''] = entrypoints
  return sealArtifact({ compiler: { opa: '', digest: '' }, sources: [], policy, modules, data, entrypoint, wasm })
}

/** As `tollgate eval` decides them: one ledger, in memory. */
async function ours(policy: Policy, asked: readonly Asked[]): Promise<readonly Decision[]> {
  const artifact = await compiled(policy)
  let now = 0
  const { gate, ledger } = openGateWith({
    ledgerFile: ':memory:',
    clock: () => now,
    report: (error) => assert.fail(error as Error),
  })
  gate.activate(activePolicy(artifact))
  const decided = asked.map(({ tool, server, agent, arguments: args, at }) => {
    now = at
    const principal = agent === '' ? {} : { agent }
    const line = readCallLine(Buffer.from(JSON.stringify({ server, tool, arguments: args, principal })))
    assert.ok('call' in line, JSON.stringify(line))
    return gate.admit([line.call])[0] as Decision
  })
  ledger.close()
  return decided
}

async function theirs(file: File, asked: readonly Asked[]): Promise<readonly Answer[]> {
  const questions = asked.map(({ tool, server, agent, arguments: params, at }) => ({
    action: { type: tool, target: server, agent_id: agent, params },
    time: at / 1_000,
  }))
  const [loaded, ...answers] = (await aegis?.ask([{ policy: textOf(file) }, ...questions])) ?? []
  assert.ok(loaded && 'rules' in loaded, JSON.stringify(loaded))
  assert.equal(loaded.rules, file.rules.length)
  return answers
}

const effects = { auto: 'allow', approve: 'hold', block: 'deny' } as const

type Kind = 'same' | 'raised' | 'letters' | 'endless' | 'differs'

function compare(answer: Answer, decision: Decision): Kind {
  if ('raised' in answer && answer.raised === 'Endless') return 'endless'
  if (decision.reason_code === 'ARGUMENT_UNCOMPARABLE') {
    assert.equal(decision.decision, 'deny')
    if ('raised' in answer && answer.raised === 'TypeError') return 'raised'
    // The one other reason: letters outside ASCII, at a `\b` that RE2 cannot place.
    return decision.message.includes('ASCII') ? 'letters' : 'differs'
  }
  if (!('approval' in answer)) return 'differs'
  const same =
    decision.decision === effects[answer.approval] &&
    decision.risk_level === answer.risk &&
    decision.rule === answer.rule
  return same ? 'same' : 'differs'
}

async function differs(file: File, asked: Asked): Promise<{ theirs: unknown; ours: unknown } | undefined> {
  const { policy } = read(file)
  if (!policy) return undefined
  const [answer] = await theirs(file, [asked])
  const [decision] = await ours(policy, [asked])
  const differ = compare(answer as Answer, decision as Decision) === 'differs'
  return differ ? { theirs: answer, ours: decision } : undefined
}

/** The smallest file and action about which the two still disagree. */
async function shrunk(file: File, asked: Asked): Promise<string> {
  let smallest = { file, asked }
  for (let again = true; again; ) {
    again = false
    for (const candidate of smallerOnes(smallest)) {
      if (!(await differs(candidate.file, candidate.asked))) continue
      smallest = candidate
      again = true
      break
    }
  }
  return JSON.stringify({ ...smallest, ...(await differs(smallest.file, smallest.asked)) }, null, 1)
}

function* smallerOnes({ file, asked }: { file: File; asked: Asked }): Generator<{ file: File; asked: Asked }> {
  for (const [index, rule] of file.rules.entries()) {
    yield { file: { ...file, rules: file.rules.toSpliced(index, 1) }, asked }
    for (const smaller of smallerRules(rule)) yield { file: { ...file, rules: file.rules.with(index, smaller) }, asked }
  }
  for (const members of without(asked.arguments))
    yield { file, asked: { ...asked, arguments: members as Asked['arguments'] } }
}

function* smallerRules(rule: Rule): Generator<Rule> {
  for (const [key, condition] of Object.entries(rule.conditions ?? {})) {
    for (const conditions of without(rule.conditions ?? {}))
      yield { ...rule, conditions: conditions as Record<string, unknown> }
    if (condition === null || typeof condition !== 'object' || Array.isArray(condition)) continue
    for (const fewer of without(condition)) {
      if (Object.keys(fewer).length > 0) yield { ...rule, conditions: { ...rule.conditions, [key]: fewer } }
    }
  }
}

function without(members: object): object[] {
  const entries = Object.entries(members)
  return entries.map((_, index) => Object.fromEntries(entries.toSpliced(index, 1)))
}

test(`agent-aegis 1.0.0 decides ${decisions} random calls as the gate does (seed ${seed})`, { skip }, async (t) => {
  const refused = new Map<string, number>()
  const tally = new Map<string, number>()
  const pool = fc.sample(actions, { numRuns: actionsPerFile * 10, seed })
  let compared = 0
  for (const [round, random] of fc
    .sample(files, { numRuns: Math.ceil((decisions / actionsPerFile) * 2), seed })
    .entries()) {
    if (compared >= decisions) break
    const found = loadable(random, refused)
    if (!found) continue
    const { file, policy } = found
    const some = Array.from({ length: actionsPerFile }, (_, index) => pool[(round * 37 + index) % pool.length] as Asked)
    // The time of a ledger never runs backwards.
    const asked = some.toSorted((a, b) => a.at - b.at)
    const [answers, decided] = [await theirs(file, asked), await ours(policy, asked)]
    for (const [index, decision] of decided.entries()) {
      const kind = compare(answers[index] as Answer, decision)
      if (kind === 'differs') assert.fail(`seed ${seed}: ${await shrunk(file, asked[index] as Asked)}`)
      const key = kind === 'same' ? `${decision.decision}${decision.rule === '<default>' ? ' by default' : ''}` : kind
      tally.set(key, (tally.get(key) ?? 0) + 1)
      if (kind === 'same' || kind === 'raised') compared++
    }
  }
  t.diagnostic(`seed ${seed}; compared ${compared}; ${JSON.stringify(Object.fromEntries(tally))}`)
  t.diagnostic(`rules not loaded: ${JSON.stringify(Object.fromEntries(refused))}`)
  assert.ok(compared >= decisions, `only ${compared} decisions`)
  for (const kind of ['allow', 'hold', 'deny', 'raised']) assert.ok((tally.get(kind) ?? 0) > 0, kind)
})
