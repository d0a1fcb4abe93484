/** Two policy packs that differ: where they do is told in their words, and nothing is claimed of calls. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { packDifferences } from '../../src/diff/packs.ts'
import { reportOfPacks } from '../../src/diff/report.ts'
import { parsePolicy } from '../../src/policy/parse.ts'
import type { Answer } from '../answer.ts'
import { ofPack } from '../policy/strategies.ts'

const written = readFileSync(new URL('../pack/fixtures/mcp-gateway-policy.json', import.meta.url), 'utf8')

function packWith(change: (pack: Answer) => void = () => undefined, settings = '') {
  const pack: Answer = JSON.parse(written)
  change(pack)
  const { policy, diagnostics } = parsePolicy({
    file: 'gate.yaml',
    text: `pack: pack.json\n${settings}`,
    beside: () => JSON.stringify(pack),
  })
  assert.ok(policy, JSON.stringify(diagnostics))
  return ofPack(policy)
}

const [first, second, third] = packWith().workflows.map(({ id }) => id)

test('what differs is told by workflow and tool, with what stood there and what stands there now', () => {
  const [, scope] = packWith().workflows[0]?.scopes ?? []
  const without = scope?.variant ?? ''
  const approval = [without, `${without}, with approval`]
  if (scope?.needsApproval) approval.reverse()
  const other = packWith(({ workflow_policies: workflows }) => {
    workflows[0].change_scope.max_diff_lines += 100
    workflows[0].tool_access.requires_human_approval_for = scope?.needsApproval ? [] : [scope?.namespace]
    workflows[1].status = 'pilot'
    workflows.splice(2, 1)
    workflows.reverse()
  }, 'statuses: [active, pilot]\ntools: { read_file: { namespace: repo.contents, access: read } }\n')
  const lines = packWith().workflows[0]?.maxDiffLines ?? 0
  const named = `scope ${scope?.namespace}:${scope?.access}`
  assert.deepEqual(packDifferences(packWith(), other), [
    { change: 'changed', member: 'statuses', old: ['active'], new: ['active', 'pilot'] },
    { change: 'added', member: 'tools', new: 'said by the settings' },
    { change: 'changed', workflow: first, member: 'max_diff_lines', old: lines, new: lines + 100 },
    { change: 'changed', workflow: first, member: named, old: approval[0], new: approval[1] },
    { change: 'changed', workflow: second, member: 'status', old: 'active', new: 'pilot' },
    { change: 'removed', workflow: third },
    { change: 'added', tool: 'read_file' },
  ])
  const back = packDifferences(other, packWith()).map(({ change }) => change)
  assert.deepEqual(back, ['changed', 'removed', 'changed', 'changed', 'changed', 'added', 'removed'])
})

test('every member of a workflow that is judged by is one that a difference can name', () => {
  const changes: Readonly<Record<string, (workflow: Answer) => void>> = {
    maturity_stage: (one) => (one.maturity_stage = one.maturity_stage === 'walk' ? 'run' : 'walk'),
    allowed_agents: (one) => one.identity.allowed_agents.push('another-agent'),
    required_branch_prefix: (one) => (one.dispatch.required_branch_prefix = 'other/'),
    allowed_paths: (one) => one.change_scope.allowed_paths.push('other/**'),
    forbidden_paths: (one) => one.change_scope.forbidden_paths.push('other/**'),
    max_changed_files: (one) => (one.change_scope.max_changed_files += 1),
  }
  for (const [member, change] of Object.entries(changes)) {
    const found = packDifferences(
      packWith(),
      packWith(({ workflow_policies: [workflow] }) => void change(workflow)),
    )
    assert.deepEqual(
      found.map(({ workflow, member: said }) => [workflow, said]),
      [[first, member]],
    )
  }
})

test('nothing is proved of packs that differ, also where only their order does', () => {
  const turned = packWith(({ workflow_policies: workflows }) => workflows.reverse())
  const { result, not_proved, differences, holds_for } = reportOfPacks(packWith(), turned)
  assert.deepEqual([result, not_proved.length, differences, holds_for], ['not_proved', 1, [], []])
})
