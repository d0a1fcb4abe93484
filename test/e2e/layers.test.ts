/** `tollgate run` under layers and merged files: each file is followed, and they change together. */
import assert from 'node:assert/strict'
import { renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { until } from '../until.ts'
import { decisionIn, type Wrapped, wrap } from './wrapped.ts'

const policy = (tools: string, fallback = 'deny') => `version: "1"\ndefault: ${fallback}\ntools:\n${tools}`
const org = policy('  echo: { rules: [{ action: deny }] }\n', 'allow')
const team = policy('  pay: { rules: [{ spend: { daily: 10 } }] }\n')
const extra = policy('  echo: {}\n')

/** The outer layer is one file, the inner one two. */
function layers(): Promise<Wrapped> {
  const choose = (folder: string) => {
    writeFileSync(join(folder, 'team.yaml'), team)
    writeFileSync(join(folder, 'extra.yaml'), extra)
    return ['policy.yaml', 'team.yaml', 'extra.yaml'].flatMap((name, index) => [
      '--layer',
      `${index === 0 ? 'org' : 'team'}=${join(folder, name)}`,
    ])
  }
  return wrap(org, { choose })
}

const beside = ({ policyFile }: Wrapped, name: string) => join(dirname(policyFile), name)
const pay = (gate: Wrapped, amount: number) => gate.ask('tools/call', { name: 'pay', arguments: { amount } })
const last = (gate: Wrapped, type: string) => gate.records().findLast((record) => record.type === type)

test('every layer has a say, and the file of each is followed', async () => {
  await using gate = await layers()
  assert.equal((await pay(gate, 4)).result.isError, undefined)
  assert.equal(decisionIn(await pay(gate, 7)).reason_code, 'SPEND_LIMIT_EXCEEDED')
  assert.deepEqual(
    last(gate, 'decision').result.layers.map(({ decision }: { decision: string }) => decision),
    ['allow', 'deny'],
  )
  const { tools } = (await gate.ask('tools/list', {})).result
  assert.deepEqual(
    tools.map(({ name }: { name: string }) => name),
    ['pay'],
  )
  writeFileSync(beside(gate, 'team.yaml'), team.replace('10', '20'))
  await gate.notification('notifications/tools/list_changed')
  assert.equal((await pay(gate, 7)).result.isError, undefined)
  writeFileSync(gate.policyFile, policy('  pay: { rules: [{ action: deny }] }\n', 'allow'))
  await gate.notification('notifications/tools/list_changed')
  const shown = (await gate.ask('tools/list', {})).result.tools
  assert.deepEqual(
    shown.map(({ name }: { name: string }) => name),
    ['echo'],
  )
})

test('a bad edit of one layer keeps all of them as they were', async () => {
  await using gate = await layers()
  const before = last(gate, 'activation')
  writeFileSync(beside(gate, 'extra.yaml'), extra.replace('echo', 'pay'))
  await until(() => gate.stderr().includes('stays active'), 'the clash is told')
  assert.match(gate.stderr(), /extra\.yaml:4:3: `pay` stands in `team\.yaml:4` too/)
  assert.equal((await pay(gate, 10)).result.isError, undefined)
  assert.equal(decisionIn(await pay(gate, 1)).reason_code, 'SPEND_LIMIT_EXCEEDED')
  assert.deepEqual(last(gate, 'activation'), before)
})

test('a layer whose file is gone leaves nothing that is allowed until it is back', async () => {
  await using gate = await layers()
  const file = beside(gate, 'team.yaml')
  renameSync(file, `${file}.away`)
  await until(() => /team\.yaml` is gone/.test(gate.stderr()), 'the loss is told')
  await pay(gate, 1)
  assert.equal(last(gate, 'decision').result.reason_code, 'POLICY_UNAVAILABLE')
  renameSync(`${file}.away`, file)
  await until(() => gate.stderr().includes('is active'), 'it is back')
  assert.equal((await pay(gate, 1)).result.isError, undefined)
})

test('a layer that cannot be loaded at the start ends the start', async () => {
  const choose = (folder: string) => ['--layer', `org=${join(folder, 'policy.yaml')}`, '--layer', 'team=nowhere.yaml']
  await assert.rejects(wrap(org, { choose }), /nowhere\.yaml.*policy_unreadable/)
})
