/** A file with nothing that only one of the two languages has decides alike in both: in `wild` are forms that people write. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { parse, stringify } from 'yaml'
import type { Call } from '../../src/model/call.ts'
import { amountsOf, inputOf } from '../../src/model/input.ts'
import type { Policy } from '../../src/model/policy.ts'
import { planFor } from '../../src/model/strategy.ts'
import { formatDiagnostic, parsePolicy } from '../../src/policy/parse.ts'
import { evaluate } from '../../src/reference/evaluate.ts'

const wild = `version: 1
default: allow
tools:
  create_issue:
    rules:
      - action: allow
        rate_limit: "30/hour"
        on_deny: too many issues
      - action: allow
        rate_limit: "5/minute"
  get_issue:
    rules:
      - action: allow
        rate_limit: "60/minute"
  delete_issue:
    rules:
      - action: deny
        on_deny: not by an agent
  drop: { rules: [{ action: deny }] }
  close_account: { rules: [{ action: require_approval, approval_timeout: 30m }] }
  "*": { rules: [{ rate_limit: 100/minute }] }
`

const at = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8')
const files = {
  wild,
  'a blog post': at('../policy/fixtures/payments.yaml'),
  'default deny': at('samples/testdata/default_deny_policy.yaml'),
}

function read(text: string): Policy {
  const { policy, diagnostics } = parsePolicy({ file: 'f.yaml', text })
  assert.ok(policy, diagnostics.map(formatDiagnostic).join('\n'))
  return policy
}

/** A tool that nobody calls is hidden, which only Intercept can say. */
function asIntercept(text: string): Policy {
  return read(stringify({ ...parse(text), hide: ['nobody calls this'] }))
}

const argumentsOf: readonly Call['arguments'][] = [
  {},
  { amount: 50, currency: 'GBP' },
  { amount: 100.01, currency: 'USD' },
  { amount: 600, currency: 'EUR' },
  { amount: '5', currency: null },
  { amount: -1, currency: 'GBP' },
]

for (const [name, text] of Object.entries(files))
  test(`${name}: one file, two languages, the same decisions`, () => {
    const [native, intercept] = [read(text), asIntercept(text)]
    assert.deepEqual(
      [native, intercept].map((policy) => 'language' in policy && policy.language),
      ['native', 'intercept'],
    )
    const tools = [...Object.keys(parse(text).tools), 'unlisted'].filter((tool) => tool !== '*')
    const decisions = new Set<string>()
    for (const tool of tools)
      for (const args of argumentsOf)
        for (const used of [0, 4, 5, 10, 100, 950_000_000, 1_000_000_000]) {
          const call: Call = {
            method: 'tools/call',
            server: 's',
            name: tool,
            arguments: args,
            principal: {},
            session: '',
          }
          const [one, other] = [verdict(native, call, used), verdict(intercept, call, used)]
          const story = JSON.stringify({ tool, args, used, one, other })
          assert.equal(other.decision, one.decision, story)
          // Where several rules refuse, the order in which they are asked says which of them is named.
          if (!text.includes('spend:')) assert.deepEqual(other, one, story)
          decisions.add(one.reason_code)
        }
    assert.ok(decisions.size > 2, [...decisions].join())
  })

/** Without the words, which differ. */
function verdict(policy: Policy, call: Call, used: number) {
  const plan = planFor(policy, call)
  const facts = Object.fromEntries(plan.counters.map(({ counter }) => [counter.id, used]))
  const { message: _, ...rest } = evaluate(policy, inputOf(call, plan, facts, amountsOf(call, plan), 0))
  return { ...rest, rule: rest.rule === '(default deny)' ? 'default' : rest.rule }
}
