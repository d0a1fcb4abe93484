/** What the README shows is what happens. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { buildPolicy } from '../../src/bundle/build.ts'
import { refusal } from '../../src/mcp/refusal.ts'
import type { Decision } from '../../src/model/decision.ts'
import { openGateWith } from '../../src/runtime/open.ts'
import { activePolicy } from '../../src/runtime/policyFile.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const readme = readFileSync(resolve(root, 'README.md'), 'utf8')

test('the policy of the README refuses the call of the README in the words of the README', async () => {
  const text = /```yaml\n([\s\S]*?)```/.exec(readme)?.[1] as string
  const artifact = await buildPolicy({ name: 'payments.yaml', text })
  const { gate, ledger } = openGateWith({ ledgerFile: ':memory:', report: (error) => assert.fail(String(error)) })
  gate.activate(activePolicy(artifact))
  const call = {
    method: 'tools/call',
    server: 'bank',
    name: 'create_payment',
    arguments: { amount: 500.01, currency: 'GBP' },
    principal: {},
    session: '',
  } as const
  const [, decision] = gate.admit([
    { ...call, arguments: { amount: 400, currency: 'GBP' } },
    call,
  ]) as readonly Decision[]
  const answer = JSON.parse(refusal({ id: 1, method: 'tools/call', modern: false }, decision as Decision))
  assert.ok(readme.includes(answer.result.content[0].text))
  const { input, result } = JSON.parse([...ledger.records()].at(-1)?.body ?? '')
  assert.deepEqual(input.arguments, { currency: 'GBP' })
  assert.deepEqual(input.amounts, { amount: 500_010_000 })
  assert.deepEqual(input.facts, { 'spend(amount)/day@create_payment': 400_000_000 })
  assert.equal(result.reason_code, 'SPEND_PER_CALL_EXCEEDED')
  assert.equal(result.rule, 'create_payment.rules[0]')
  ledger.close()
})

test('every link in the documentation leads somewhere', () => {
  const pages = [
    ...readdirSync(root).filter((name) => name.endsWith('.md')),
    'deploy/README.md',
    ...readdirSync(resolve(root, 'docs'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.md'))
      .map((name) => `docs/${name}`),
  ]
  for (const page of pages) {
    const text = readFileSync(resolve(root, page), 'utf8')
    for (const [, target = '', anchor] of text.matchAll(/\]\(([^)#:]*)(?:#([^)]*))?\)/g)) {
      const file = target === '' ? resolve(root, page) : resolve(root, dirname(page), target)
      assert.ok(existsSync(file), `${page}: ${target}`)
      if (anchor !== undefined && file.endsWith('.md'))
        assert.ok(anchorsOf(readFileSync(file, 'utf8')).has(anchor), `${page}: ${target}#${anchor}`)
    }
  }
})

/** As GitHub makes them of headings. */
function anchorsOf(text: string): ReadonlySet<string> {
  const headings = text.replace(/^```.*?^```/gms, '').matchAll(/^#+ (.*)$/gm)
  const plain = (heading: string) => heading.toLowerCase().replace(/[^\p{L}\p{N}_ -]/gu, '')
  return new Set(Array.from(headings, ([, heading = '']) => plain(heading).replaceAll(' ', '-')))
}

test('docs/README.md lists every page of the documentation', () => {
  const index = readFileSync(resolve(root, 'docs/README.md'), 'utf8')
  const pages = readdirSync(resolve(root, 'docs'), { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.endsWith('.md') && name !== 'README.md',
  )
  for (const page of pages) assert.ok(index.includes(`](${page})`), page)
})

test('every path that ARCHITECTURE.md names is there', () => {
  const text = readFileSync(resolve(root, 'ARCHITECTURE.md'), 'utf8')
  for (const [, path = ''] of text.matchAll(/`((?:src|test|docs|rego|compiler)\/[\w./-]*)`/g))
    assert.ok(existsSync(resolve(root, path)), path)
})
