/** What a policy says of a call when nothing has been used up yet, by the reference evaluator. */
import assert from 'node:assert/strict'
import type { Json } from '../../src/model/canonical.ts'
import type { Verdict } from '../../src/model/decision.ts'
import type { AllPolicy, Method } from '../../src/model/policy.ts'
import { formatDiagnostic, parsePolicy } from '../../src/policy/parse.ts'
import { evaluate } from '../../src/reference/evaluate.ts'
import { ofAll } from '../policy/strategies.ts'

/** The policy; fails on any word of complaint. */
export function parsed(text: string): AllPolicy {
  const { policy, diagnostics } = parsePolicy({ file: 'scan.yaml', text })
  assert.deepEqual(diagnostics.map(formatDiagnostic), [], text)
  return ofAll(policy)
}

export interface Asked {
  readonly method?: Method
  readonly name: string
  readonly server?: string
  readonly args?: { readonly [key: string]: Json }
  readonly amounts?: Readonly<Record<string, number>>
}

export function judge(
  policy: AllPolicy,
  { method = 'tools/call', name, server = '', args = {}, amounts = {} }: Asked,
): Verdict {
  const counters = policy.entries.flatMap(({ rules }) => rules.flatMap(({ limits }) => limits))
  const target = { 'tools/call': { tool: name }, 'resources/read': { resource: name }, 'prompts/get': { prompt: name } }
  return evaluate(policy, {
    v: 1,
    method,
    server,
    ...target[method],
    arguments: args,
    amounts,
    facts: Object.fromEntries(counters.map(({ counter }) => [counter.id, 0])),
    principal: {},
    session: '',
    time: '2026-01-05T12:00:00.000Z',
  })
}
