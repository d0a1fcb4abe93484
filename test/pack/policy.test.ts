/** Policy packs as files: recognised by their shape, every mistake with its place. */
import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { stringify } from 'yaml'
import { formatDiagnostic, parsePolicy } from '../../src/policy/parse.ts'
import { ofPack } from '../policy/strategies.ts'

const text = readFileSync(new URL('fixtures/mcp-gateway-policy.json', import.meta.url), 'utf8')
const parsed = (source: string, file = 'pack.json') => parsePolicy({ file, text: source })

test('the sample pack loads without a word, and carries its hash and that of its manifest', () => {
  const { policy, diagnostics } = parsed(text)
  assert.deepEqual(diagnostics, [])
  const { id, version, sha256, manifestSha256, workflows } = ofPack(policy)
  assert.deepEqual([id, version], ['security-recipes-mcp-gateway-policy-pack', '2026-05-02'])
  assert.equal(sha256, hash('sha256', text))
  assert.equal(manifestSha256, JSON.parse(text).source_manifest.sha256)
  assert.equal(workflows.length, 8)
})

test('the same pack in YAML means the same, under a hash of its own', () => {
  const yaml = stringify(JSON.parse(text), { aliasDuplicateObjects: false })
  const places = (source: string, file: string) => {
    const { sha256, workflows, ...policy } = ofPack(parsed(source, file).policy)
    return { ...policy, workflows: workflows.map(({ place: _, ...workflow }) => workflow) }
  }
  assert.deepEqual(places(yaml, 'pack.yaml'), places(text, 'pack.json'))
  assert.notEqual(ofPack(parsed(yaml).policy).sha256, ofPack(parsed(text).policy).sha256)
})

const mistakes: readonly (readonly [string, string, RegExp])[] = [
  [
    '"default_decision": "deny",\n    "required',
    '"default_decision": "allow",\n    "required',
    /^pack\.json:\d+:\d+: `default_decision` must be "deny"/,
  ],
  [
    '"default_decision": "deny",\n      "dispatch"',
    '"default_decision": "allow",\n      "dispatch"',
    /`default_decision` must be "deny"/,
  ],
  ['"denied_by_default": true', '"denied_by_default": false', /`denied_by_default` must be `true`/],
  ['"forbidden_paths"', '"forbiden_paths"', /unknown key `forbiden_paths`, did you mean `forbidden_paths`\?/],
  ['"kill_signals"', '"kill_signal"', /unknown key `kill_signal`, did you mean `kill_signals`\?/],
  ['"status": "active"', '"status": "live"', /`status` must be `pilot`, `active`, `paused` or `retired`/],
  [
    '"decision": "allow_scoped_branch",\n            "namespace"',
    '"decision": "allow",\n            "namespace"',
    /`write_branch` earns `allow_scoped_branch`, not `allow`/,
  ],
  [
    '"requires_human_approval_for": [\n          "registries.quarantine"',
    '"requires_human_approval_for": [\n          "registries.quarantin"',
    /no tool scope has the namespace `registries\.quarantin`, did you mean `registries\.quarantine`\?/,
  ],
  ['"access": "approval_required"', '"access": "read"', /`read` earns `allow`, not `hold_for_approval`/],
  [
    '"decision": "allow_scoped_ticket",\n        "meaning"',
    '"decision": "deny",\n        "meaning"',
    /`allow_scoped_ticket` is not among the decisions of the pack/,
  ],
  [
    '"workflow_id": "base-image-remediation"',
    '"workflow_id": "sast-finding-remediation"',
    /`workflow_policies` has `sast-finding-remediation` twice/,
  ],
  [
    '"namespace": "sbom.inventory"',
    '"namespace": "advisories.vulnerability"',
    /`allowed_mcp_scopes` has `advisories\.vulnerability:read` twice/,
  ],
  [
    '"required_branch_prefix": "sec-auto-remediation/"',
    '"required_branch_prefix": ""',
    /`required_branch_prefix` must be the beginning of a branch/,
  ],
  ['"max_diff_lines": 250', '"max_diff_lines": null', /`max_diff_lines` must be a whole number/],
  ['"sha256": "22f4', '"sha256": "22F4', /`sha256` must be a SHA-256 digest/],
  ['"phase": "runtime"', '"phase": "output"', /`gate_contract` has `output` twice/],
  [
    '"workflow_id",\n      "agent_id"',
    '"workflow_id",\n      "agent_ids"',
    /must be `workflow_id`, .*did you mean `agent_id`\?/,
  ],
  ['"schema_version": "1.0",\n  "source', '"schema_version": "1.1",\n  "source', /`schema_version` must be "1\.0"/],
  ['"src/**"', '"src/../**"', /it has a segment of dots/],
]

for (const [from, to, says] of mistakes) {
  test(`a mistake leaves no policy: ${to.replace(/\s+/g, ' ')}`, () => {
    assert.ok(text.includes(from), from)
    const { policy, diagnostics } = parsed(text.replace(from, to))
    assert.equal(policy, undefined)
    assert.ok(
      diagnostics.some((diagnostic) => says.test(formatDiagnostic(diagnostic))),
      diagnostics.map(formatDiagnostic).join('\n'),
    )
  })
}

test('every mistake is told at once', () => {
  const broken = mistakes.reduce((all, [from, to]) => all.replace(from, to), text)
  const told = parsed(broken).diagnostics.map(formatDiagnostic)
  for (const [, , says] of mistakes)
    assert.ok(
      told.some((line) => says.test(line)),
      String(says),
    )
})
