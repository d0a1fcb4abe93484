import assert from 'node:assert/strict'
import test from 'node:test'
import { conditionKeys as aegisConditionKeys } from '../../src/policy/aegis/conditions.ts'
import { aegisDefaultsKeys, aegisKeys } from '../../src/policy/aegis/policy.ts'
import { aegisRuleKeys, matchKeys } from '../../src/policy/aegis/rules.ts'
import type { Keys } from '../../src/policy/forms.ts'
import { guardKeys } from '../../src/policy/guard.ts'
import { approvalKeys } from '../../src/policy/intercept/approvals.ts'
import { conditionKeys } from '../../src/policy/intercept/conditions.ts'
import { policyKeys as filePolicyKeys, toolKeys } from '../../src/policy/intercept/policy.ts'
import { ruleKeys as interceptRuleKeys } from '../../src/policy/intercept/rules.ts'
import { stateKeys } from '../../src/policy/intercept/state.ts'
import { constraintKeys } from '../../src/policy/native/arguments.ts'
import { callerKeys } from '../../src/policy/native/callers.ts'
import { counterKeys } from '../../src/policy/native/counters.ts'
import { entryKeys } from '../../src/policy/native/entries.ts'
import { orderedRuleKeys } from '../../src/policy/native/ordered.ts'
import { policyKeys } from '../../src/policy/native/policy.ts'
import { rateKeys } from '../../src/policy/native/rates.ts'
import { ruleKeys } from '../../src/policy/native/rules.ts'
import { spendKeys } from '../../src/policy/native/spend.ts'
import { comparisonKeys, whenKeys } from '../../src/policy/native/when.ts'
import { formatDiagnostic, parsePolicy } from '../../src/policy/parse.ts'
import { reasonCodeKeys } from '../../src/policy/reasonCodes.ts'
import { examplesOf, pageOf } from './pages.ts'

for (const [name, least] of [
  ['native.md', 2],
  ['guard.md', 2],
  ['intercept.md', 1],
  ['aegis.md', 2],
] as const)
  test(`every example of ${name} is a policy without a warning`, () => {
    const examples = examplesOf(name)
    assert.ok(examples.length >= least)
    for (const text of examples)
      assert.deepEqual(parsePolicy({ file: name, text }).diagnostics.map(formatDiagnostic), [])
  })

/** The rows of each table, as its keys and what is said of them. */
function tablesOf(page: string): Map<string, string>[] {
  const tables = page.split(/^\| key +\| value +\| meaning +\|\n.*\n/m).slice(1)
  return tables.map((table) => {
    const rows = table.split('\n\n', 1)[0]?.trim().split('\n') ?? []
    return new Map(rows.map((row) => [/^\| `(\w+)`/.exec(row)?.[1] ?? row, row]))
  })
}

function explains(table: Map<string, string> | undefined, keys: Keys): void {
  assert.deepEqual([...(table?.keys() ?? [])], Object.keys(keys))
  for (const [name, { about }] of Object.entries(keys)) {
    const said = about.replace(/\.$/, '')
    assert.ok(table?.get(name)?.includes(said), `${name}: ${said}`)
  }
}

test('the reference explains every key, in the words of the parser', () => {
  const native = tablesOf(pageOf('native.md'))
  const known = [
    policyKeys,
    entryKeys,
    ruleKeys,
    callerKeys,
    constraintKeys,
    rateKeys,
    counterKeys,
    spendKeys,
    orderedRuleKeys,
    whenKeys,
    comparisonKeys,
  ]
  assert.equal(native.length, known.length)
  for (const [index, keys] of known.entries()) explains(native[index], keys)
  const guard = tablesOf(pageOf('guard.md'))
  explains(guard[0], guardKeys)
  explains(guard[1], reasonCodeKeys)
  const intercept = tablesOf(pageOf('intercept.md'))
  const keys = [filePolicyKeys, approvalKeys, toolKeys, interceptRuleKeys, conditionKeys, stateKeys]
  assert.equal(intercept.length, keys.length)
  for (const [index, known] of keys.entries()) explains(intercept[index], known)
  const aegis = tablesOf(pageOf('aegis.md'))
  for (const [index, keys] of [aegisKeys, aegisDefaultsKeys, aegisRuleKeys, matchKeys, aegisConditionKeys].entries())
    explains(aegis[index], keys)
})

test('the mistakes that the reference shows are what the parser says', () => {
  const text = `version: "1"\ndefault: deny\ntools:\n  pay:\n    rules:\n      - name: cap\n        on_denied: x\n        spend: {daily: 5}\n        rate_limit: 10/days\n`
  const said = parsePolicy({ file: 'refunds.yaml', text }).diagnostics.map(formatDiagnostic)
  assert.ok(pageOf('native.md').includes(said.join('\n')), said.join('\n'))
})
