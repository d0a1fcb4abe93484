/** One decision under a policy pack: the run of a call, its facts, the WASM. As in `decision.ts`, without a ledger. */
import { readFileSync } from 'node:fs'
import { buildPolicy } from '../src/bundle/build.ts'
import type { Call } from '../src/model/call.ts'
import type { Gate } from '../src/pep/gate.ts'
import { activePolicy } from '../src/runtime/policyFile.ts'
import { callOf } from './calls.ts'
import { bound, medianOf } from './decision.ts'
import { bareGate } from './gates.ts'
import type { Section } from './report.ts'
import { inTurns } from './rounds.ts'
import { type Settings, times } from './settings.ts'
import { type Spread, spreadOf } from './stats.ts'

const sample = new URL('../test/pack/fixtures/mcp-gateway-policy.json', import.meta.url)

const writes = {
  tool_namespace: 'repo.contents',
  tool_access_mode: 'write_branch',
  branch_name: 'sec-auto-remediation/finding-4711',
  diff_line_count: 42,
}

const approval = {
  status: 'approved',
  approver: 'alice@example.com',
  approved_at: '2020-01-01T00:00:00Z',
  expires_at: '2100-01-01T00:00:00Z',
  scope: 'artifact-cache-quarantine:registries.quarantine:approval_required',
}

/** What a host would register, by what is measured. */
const runs = {
  'a read': { workflow_id: 'sensitive-data-remediation', tool_namespace: 'findings.sde', tool_access_mode: 'read' },
  'a write of 3 files': {
    workflow_id: 'sensitive-data-remediation',
    ...writes,
    changed_paths: ['src/billing/card.ts', 'src/billing/card.test.ts', 'config/logging.yaml'],
  },
  'a write of 5 files beside a pattern that is no simple one': {
    workflow_id: 'sast-finding-remediation',
    ...writes,
    changed_paths: ['a', 'b', 'c', 'd', 'e'].map((name) => `src/auth/policies/${name}.ts`),
  },
  'an approved action': {
    workflow_id: 'artifact-cache-quarantine',
    tool_namespace: 'registries.quarantine',
    tool_access_mode: 'approval_required',
    human_approval_record: approval,
  },
}

export async function packSection(settings: Settings): Promise<Section> {
  const text = readFileSync(sample, 'utf8')
  const [own, large] = [await gateOf(text), await gateOf(grown(text, settings.quick ? 20 : 1_000))]
  const contestants = Object.fromEntries([
    ...Object.entries(runs).map(([name, run]) => [name, deciding(own, run, settings)]),
    ['a write of 3 files, 1,000 workflows', deciding(large, runs['a write of 3 files'], settings)],
  ]) as Record<string, () => Spread>
  for (const decide of Object.values(contestants)) decide()
  const results = Object.entries(await inTurns(times(20, settings), contestants))
  return {
    title: 'Policy pack',
    about:
      'In: the run of the call as its host registered it, its facts, the input in canonical form, the WASM, the verdict. ' +
      'Out: the ledger, the record. The pack is a real one of eight workflows, and the same grown to 1,000.',
    tables: [
      {
        columns: ['call', 'p50 µs', 'p99 µs'],
        rows: results.map(([name, rounds]) => [name, medianOf(rounds, 'p50'), medianOf(rounds, 'p99')]),
      },
    ],
    targets: results.map(([name, rounds]) => bound(`pack, ${name}, p50`, 50, ' µs', medianOf(rounds, 'p50'))),
  }
}

async function gateOf(text: string): Promise<Gate> {
  const gate = bareGate()
  gate.activate(activePolicy(await buildPolicy({ name: 'pack.json', text })))
  return gate
}

/** The same pack with copies of its first workflow. */
function grown(text: string, workflows: number): string {
  const pack = JSON.parse(text)
  const [first] = pack.workflow_policies
  while (pack.workflow_policies.length < workflows)
    pack.workflow_policies.push({ ...first, workflow_id: `copy-${pack.workflow_policies.length}` })
  return JSON.stringify(pack)
}

function deciding(gate: Gate, attributes: object, settings: Settings): () => Spread {
  const run: NonNullable<Call['run']> = {
    agent_id: 'sr-agent::remediation::codex',
    run_id: 'run-2026-05-02-4711',
    gate_phase: 'tool_call',
    ...attributes,
  }
  const call = { ...callOf('use', {}), run }
  return () => {
    const took = new Float64Array(times(2_000, settings))
    for (const index of took.keys()) {
      const started = performance.now()
      const [decision] = gate.admit([call])
      took[index] = (performance.now() - started) * 1_000
      if (decision?.decision !== 'allow') throw new Error(`the call was not allowed: ${decision?.message}`)
    }
    return spreadOf(took)
  }
}
