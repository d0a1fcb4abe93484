/** Several files that make one policy, and what keeps them from it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parsePolicies } from '../../src/policy/merge.ts'
import { formatDiagnostic } from '../../src/policy/parse.ts'

const base =
  'version: "1"\ndefault: deny\npolicy_id: base\ntools:\n  a: { rules: [{ rate_limit: 1/day }] }\n  "*": { rules: [{ rate_limit: 9/day }] }\n'
const more = (tools: string, fallback = 'allow') =>
  `version: "1"\ndefault: ${fallback}\npolicy_version: "9"\ntools:\n${tools}`
const guard = 'policy_id: g\npolicy_version: "1"\nallowlist: [b, c]\n'

function merge(...texts: readonly string[]) {
  const { policy, diagnostics } = parsePolicies(texts.map((text, index) => ({ file: `${index}.yaml`, text })))
  return { policy, said: diagnostics.map(formatDiagnostic) }
}

test('default, id and version are those of the first, entries of all, and what binds everything is last', () => {
  const { policy, said } = merge(base, more('  b: {}\n'), more('  c: {}\n'))
  assert.deepEqual(said, [])
  assert.ok(policy?.strategy === 'all')
  assert.deepEqual([policy.id, policy.version, policy.default], ['base', '', 'deny'])
  assert.deepEqual(
    policy.entries.map(({ key, place }) => `${key} ${place.file}:${place.line}`),
    ['a 0.yaml:5', 'b 1.yaml:5', 'c 2.yaml:5', '* 0.yaml:6'],
  )
  assert.ok(Object.isFrozen(policy) && Object.isFrozen(policy.entries))
})

test('ordered rules are asked in the order of the files, and the defaults are those of the first', () => {
  const { policy, said } = merge(
    'defaults: {approval: approve}\nrules: [{name: a, match: {type: a}}]\n',
    'defaults: {approval: auto}\nrules: [{name: b, match: {type: "*"}}]\n',
  )
  assert.deepEqual(said, [])
  assert.ok(policy?.strategy === 'first')
  assert.deepEqual(
    [policy.id, policy.otherwise.effect, ...policy.rules.map(({ name }) => name)],
    ['0', 'hold', 'a', 'b'],
  )
  assert.match(
    merge(base, 'rules: [{match: {type: a}}]\n').said.join(),
    /decides by rules that must all pass and this file by/,
  )
})

test('one file is the policy that it is alone', () => {
  assert.equal(merge(base).policy?.id, 'base')
})

test('languages of one kind go together', () => {
  const { policy } = merge(base, guard)
  assert.ok(policy?.strategy === 'all')
  assert.deepEqual(
    policy.entries.map(({ key }) => key),
    ['a', 'b', 'c', '*'],
  )
})

test('every mistake of every file is told at once', () => {
  const { policy, said } = merge(base.replace('rate_limit: 1/day', 'rate: 1/day'), more('  b: { rulez: [] }\n'))
  assert.equal(policy, undefined)
  assert.match(said.join('\n'), /^0\.yaml:5:\d+: .*`rate`[\s\S]*^1\.yaml:5:\d+: .*`rulez`/m)
})

test('an entry that stands in two files is told with both places', () => {
  const { policy, said } = merge(base, more('  b: {}\n  a: {}\n'), more('  b: {}\n'))
  assert.equal(policy, undefined)
  assert.match(said.join('\n'), /^1\.yaml:6:3: `a` stands in `0\.yaml:5` too/)
})

test('an entry of one name for tools and for prompts is two', () => {
  const prompts = 'version: "1"\ndefault: deny\nprompts:\n  a: { rules: [{ rate_limit: 1/day }] }\n'
  assert.deepEqual(merge(base, prompts).said, [])
})

test('two counters of one name are told', () => {
  const one = 'version: "1"\ndefault: deny\ntools:\n  a: { rules: [{ rate_limit: 1/day, per: user }] }\n'
  const other = 'version: "1"\ndefault: deny\ntools:\n  "a per user": { rules: [{ rate_limit: 1/day }] }\n'
  assert.match(
    merge(one, other).said.join(),
    /^1\.yaml:4:3: a counter of `a per user` and one of `a` \(`0\.yaml:4`\) have one name/,
  )
})
