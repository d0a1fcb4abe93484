/** Workflow manifests: every mistake with its place; and the pack they give, the same bytes each time. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { differences } from '../../src/pack/differences.ts'
import { generatePack, usualManifestPath } from '../../src/pack/generate.ts'
import { manifestDigest, readManifest, readValue } from '../../src/pack/manifest.ts'
import { formatDiagnostic } from '../../src/policy/diagnostics.ts'

const read = (name: string) => readFileSync(new URL(`fixtures/${name}`, import.meta.url))
const manifestBytes = read('workflow-manifests.json')
const manifestText = manifestBytes.toString()
const sample = read('mcp-gateway-policy.json').toString()

function generated(bytes: Uint8Array, path = usualManifestPath): string {
  const { manifest, diagnostics } = readManifest('m.json', bytes)
  assert.ok(manifest, diagnostics.map(formatDiagnostic).join('\n'))
  return generatePack({ manifest, sha256: manifestDigest(bytes), path })
}

test('the pack of the sample manifest is the sample pack, byte for byte but for `intent` and `meaning`', () => {
  const plain = (text: string) => text.replace(/("(?:intent|meaning)": )".*"/g, '$1""')
  assert.equal(plain(generated(manifestBytes)), plain(sample))
  assert.notEqual(generated(manifestBytes), sample)
})

test('the order of keys, the layout and the line ends of a manifest change nothing but its digest', () => {
  const { value } = readValue('m.json', manifestBytes)
  const { sha256: _, ...rest } = JSON.parse(generated(manifestBytes)).source_manifest
  const backwards = JSON.stringify(reversed(value))
  const again = JSON.parse(generated(Buffer.from(backwards)))
  const { sha256, ...restAgain } = again.source_manifest
  assert.deepEqual(restAgain, rest)
  assert.notEqual(sha256, _)
  again.source_manifest.sha256 = _
  assert.deepEqual(again, JSON.parse(generated(manifestBytes)))
  assert.equal(generated(Buffer.from(manifestText.replaceAll('\n', '\r\n'))), generated(manifestBytes))
})

test('text beyond ASCII is escaped, as other generators of the format do', () => {
  const text = generated(Buffer.from(manifestText.replace('Engineering', 'Größe 😀')))
  assert.match(text, /Gr\\u00f6\\u00dfe \\ud83d\\ude00/)
  assert.doesNotMatch(text, /[^\n -~]/)
})

test('the pack names its manifest as it is told to', () => {
  assert.equal(JSON.parse(generated(manifestBytes, 'a/b.json')).source_manifest.path, 'a/b.json')
})

test('a YAML manifest is read as the same value in JSON is', () => {
  const yaml = manifestText.replace('"schema_version": "1.0"', 'schema_version: "1.0"')
  assert.deepEqual(
    { ...JSON.parse(generated(Buffer.from(yaml))), source_manifest: 0 },
    { ...JSON.parse(generated(manifestBytes)), source_manifest: 0 },
  )
})

const drifts: readonly (readonly [string, string, string, readonly RegExp[]])[] = [
  [
    'a number',
    '"max_diff_lines": 120',
    '"max_diff_lines": 121',
    [
      /^workflow_policies\[base-image-remediation\]\.change_scope\.max_diff_lines: the pack has 121, the manifest gives 120$/,
    ],
  ],
  [
    'an agent more',
    '"cursor"\n        ],\n        "escalation": "financial',
    '"cursor", "devin"\n        ],\n        "escalation": "financial',
    [/allowed_agents\["devin"\]: the manifest does not give "devin"$/],
  ],
  [
    'an access',
    '"access": "approval_required"',
    '"access": "read"',
    [
      /allowed_mcp_scopes\[artifact-cache-quarantine:registries\.quarantine:approval_required\]\.access: the pack has "read"/,
    ],
  ],
  ['a digest', '22f45f06', '22f45f07', [/^source_manifest\.sha256: /]],
  [
    'the order of a list',
    '"src/**",\n          "app/**",\n          "config/**"',
    '"app/**",\n          "src/**",\n          "config/**"',
    [/allowed_paths: the pack has another order/],
  ],
  [
    'a key more',
    '"denied_by_default": true',
    '"denied_by_default": true, "also": 1',
    Array(8).fill(/tool_access\.also: the manifest does not give 1$/),
  ],
  ['free texts', '"intent": "Convert', '"intent": "Turn', []],
]

for (const [what, from, to, says] of drifts) {
  test(`drift is told place by place: ${what}`, () => {
    assert.ok(sample.includes(from), from)
    const changed = readValue('p.json', Buffer.from(sample.replaceAll(from, to))).value
    const found = differences(changed as never, JSON.parse(generated(manifestBytes)))
    assert.equal(found.length, says.length, found.join('\n'))
    for (const [index, pattern] of says.entries()) assert.match(found[index] as string, pattern)
  })
}

const mistakes: readonly (readonly [string, string, RegExp])[] = [
  ['"schema_version": "1.0"', '"schema_version": "2.0"', /^m\.json:2:21: `schema_version` must be "1\.0"/],
  ['"status": "active"', '"status": "activ"', /`status` must be `pilot`, `active`, .* did you mean `active`\?/],
  ['"maturity_stage": "walk"', '"maturity_stage": "sprint"', /`maturity_stage` must be `crawl`, `walk` or `run`/],
  [
    '"access": "read"',
    '"access": "write"',
    /`access` must be `read`, `write_branch`, `write_ticket` or `approval_required`/,
  ],
  ['"default_agents"', '"default_agent"', /unknown key `default_agent`, did you mean `default_agents`\?/],
  ['"branch_prefix"', '"branch_prefx"', /unknown key `branch_prefx`, did you mean `branch_prefix`\?/],
  [
    '"human_review_required": true',
    '"human_review_required": "yes"',
    /`human_review_required` must be `true` or `false`/,
  ],
  [
    '"id": "sast-finding-remediation"',
    '"id": "base-image-remediation"',
    /`workflows` has `base-image-remediation` twice/,
  ],
  [
    '"namespace": "sbom.inventory"',
    '"namespace": "advisories.vulnerability"',
    /`mcp_context` has `advisories\.vulnerability:read` twice/,
  ],
  ['"src/**"', '"../src/**"', /: it has a segment of dots$/],
  ['"src/**"', '"/src/**"', /: it must not begin with a slash$/],
  ['"src/**"', '"src//a"', /: it has an empty segment$/],
  ['"src/**"', '"src/a**"', /: `\*\*` stands alone between slashes$/],
  ['"src/**"', '"src\\\\\\\\a"', /has a backslash, a colon or a control character$/],
  ['"src/**"', '"src/[ab]"', /: only `\*`, `\*\*` and `\?` are wildcards$/],
  ['"max_changed_files": 8', '"max_changed_files": 0', /`max_changed_files` must be a whole number of at least 1/],
  ['"max_diff_lines": 250', '"max_diff_lines": "250"', /`max_diff_lines` must be a whole number/],
  [
    '"post_merge": [\n          "finding closes',
    '"postmerge": [\n          "finding closes',
    /unknown key `postmerge`, did you mean `post_merge`\?/,
  ],
  ['"last_reviewed": "2026-05-02"', '"last_reviewed": "May 2026"', /`last_reviewed` must be a date/],
  ['"url": "https://www.nist.gov', '"url": "www.nist.gov', /`url` must be a URI/],
  ['    "runtime"\n  ],', '    "runtime", "runtime"\n  ],', /`required_gate_phases` has `runtime` twice/],
]

for (const [from, to, says] of mistakes) {
  test(`a mistake is told with its place: ${to.replace(/\s+/g, ' ')}`, () => {
    assert.ok(manifestText.includes(from), from)
    const { manifest, diagnostics } = readManifest('m.json', Buffer.from(manifestText.replace(from, to)))
    assert.equal(manifest, undefined)
    assert.match(diagnostics.map(formatDiagnostic).join('\n'), new RegExp(says.source, 'm'))
  })
}

test('every mistake of a manifest is told at once', () => {
  const text = mistakes.slice(0, 6).reduce((all, [from, to]) => all.replace(from, to), manifestText)
  const { diagnostics } = readManifest('m.json', Buffer.from(text))
  for (const [, , says] of mistakes.slice(0, 6))
    assert.ok(
      diagnostics.some((diagnostic) => says.test(formatDiagnostic(diagnostic))),
      String(says),
    )
})

test('a phase that the manifest asks for has rules in every workflow', () => {
  const value = JSON.parse(manifestText)
  delete value.workflows[3].gates.runtime
  const { diagnostics } = readManifest('m.json', Buffer.from(JSON.stringify(value, null, 2)))
  assert.match(diagnostics.map(formatDiagnostic).join('\n'), /`runtime` is missing: every workflow has rules for it/)
})

for (const [what, text] of [
  ['nothing', ''],
  ['a list', '[]'],
  ['a scalar', '7'],
  ['an empty map', '{}'],
  ['what is not UTF-8', '\xff'],
] as const) {
  test(`${what} is no manifest`, () => {
    const { manifest, diagnostics } = readManifest('m.json', Buffer.from(text, 'latin1'))
    assert.equal(manifest, undefined)
    assert.ok(diagnostics.length > 0)
  })
}

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, reversed(member)]),
  )
}
