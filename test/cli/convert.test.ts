/** `tollgate convert` as a person runs it, and `eval` of what went in and what came out. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { calls } from '../intercept/arbitrary.ts'
import { fc } from '../random.ts'

const project = fileURLToPath(new URL('../..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'tollgate-convert-'))
after(() => rmSync(folder, { recursive: true }))
const text = (name: string) => readFileSync(join(folder, name), 'utf8')
const put = (name: string, written: string) => writeFileSync(join(folder, name), written)

function tollgate(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(project, 'src/cli/main.ts'), ...args], {
    cwd: folder,
    encoding: 'utf8',
  })
  return { status, stdout, stderr }
}

const source = `version: "1"
default: deny
hide: [secret]
tools:
  pay: # out
    rules:
      - name: cap
        conditions:
          - { path: args.amount, op: lt, value: 100 }
          - { path: state.refund.n, op: neq, value: 2 }
      - name: daily
        conditions: [{ path: state.pay.spent, op: lte, value: 40 }]
        state: { counter: spent, window: day, increment_from: args.amount }
  refund:
    rules:
      - name: few
        conditions: [{ path: state.refund.n, op: lt, value: 9 }, { path: args.a, op: exists, value: true }]
        state: { counter: n, window: hour, increment: 2 }
      - action: require_approval
        conditions: [{ path: args.amount, op: gte, value: 5 }]
  read: { rules: [{ rate_limit: 5/minute }] }
  "*": { rules: [{ rate_limit: 60/hour }] }
`

test('what is converted is checked, decides alike, and goes on counting where the source was', () => {
  put('shop.yaml', source)
  assert.deepEqual(tollgate('convert', 'shop.yaml', '--to', 'native', '-o', 'native.yaml'), {
    status: 0,
    stdout: '',
    stderr: '',
  })
  assert.match(text('native.yaml'), /^ {2}pay: # out$/m)
  assert.equal(tollgate('check', '--strict', 'native.yaml').status, 0)
  const lines = fc.sample(calls, { numRuns: 200 }).map((call, index) => {
    const time = new Date(Date.parse('2100-03-31T23:30:00Z') + index * 45_000).toISOString()
    return JSON.stringify({ server: 's', ...call, time })
  })
  put('first.jsonl', `${lines.slice(0, 100).join('\n')}\n`)
  put('second.jsonl', `${lines.slice(100).join('\n')}\n`)
  const decided = (policy: string, ledger: string, file: string) => {
    const { status, stdout, stderr } = tollgate('eval', '-c', policy, '--ledger', ledger, '--calls', file)
    assert.equal(status, 0, stderr)
    return stdout
      .trim()
      .split('\n')
      .map((line) => {
        const { approval: _, ...decision } = JSON.parse(line)
        return decision
      })
  }
  const expected = [decided('shop.yaml', 'a.db', 'first.jsonl'), decided('shop.yaml', 'a.db', 'second.jsonl')]
  assert.deepEqual(
    [decided('native.yaml', 'b.db', 'first.jsonl'), decided('native.yaml', 'b.db', 'second.jsonl')],
    expected,
  )
  // The ledger of the source, taken over half way: budgets go on.
  decided('shop.yaml', 'c.db', 'first.jsonl')
  assert.deepEqual(decided('native.yaml', 'c.db', 'second.jsonl'), expected[1])
  assert.ok(new Set(expected.flat().map(({ reason_code: code }) => code)).size > 4)
})

test('a file that is there is replaced only when told to', () => {
  put('shop.yaml', source)
  put('there.yaml', 'mine')
  const refused = tollgate('convert', 'shop.yaml', '--to', 'native', '-o', 'there.yaml')
  assert.equal(refused.status, 1)
  assert.match(refused.stderr, /\(output_exists\)\n$/)
  assert.equal(text('there.yaml'), 'mine')
  assert.equal(tollgate('convert', 'shop.yaml', '--to', 'native', '-o', 'there.yaml', '--force').status, 0)
  assert.equal(text('there.yaml'), tollgate('convert', 'shop.yaml', '--to', 'native', '-o', '-').stdout)
})

test('what has mistakes is told with each place, and nothing is written', () => {
  put('bad.yaml', source.replace('args.amount, op: lt', 'arg.amount, op: lt'))
  const { status, stdout, stderr } = tollgate('convert', 'bad.yaml', '--to', 'native', '-o', 'none.yaml')
  assert.deepEqual([status, stdout], [1, ''])
  assert.match(stderr, /^bad\.yaml:9:21: `path` must begin with/)
  assert.match(stderr, /\(not_converted\)\n$/)
  assert.throws(() => text('none.yaml'))
})

test('a missing file, a missing language and another one', () => {
  assert.match(tollgate('convert', 'gone.yaml', '--to', 'native').stderr, /\(policy_unreadable\)\n$/)
  assert.equal(tollgate('convert', 'shop.yaml').status, 2)
  assert.equal(tollgate('convert', 'shop.yaml', '--to', 'aegis').status, 2)
  assert.equal(tollgate('convert', 'shop.yaml', 'there.yaml', '--to', 'native').status, 2)
})

test('files that are merged are converted one by one, which is said', () => {
  put('base.yaml', 'version: "1"\ndefault: deny\ntools: { a: { rules: [{ rate_limit: 1/day }] } }\n')
  put('more.yaml', 'version: "1"\ndefault: allow\ntools: { b: { rules: [{ action: deny, on_deny: no }] } }\n')
  const { status, stderr } = tollgate('convert', '--to', 'native', 'base.yaml', 'more.yaml')
  assert.equal(status, 2)
  assert.match(stderr, /a file at a time is converted: convert each of them, and give the results to `-c`/)
})
