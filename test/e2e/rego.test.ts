/** `tollgate run` by a signed bundle of Rego that others wrote: lists, calls, and the next bundle while it runs. */
import assert from 'node:assert/strict'
import { renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import type { Answer } from '../answer.ts'
import { foreignFiles } from '../bundle/foreign.ts'
import { newPair, signedBytes } from '../opa/signer.ts'
import { until } from '../until.ts'
import { decisionIn, wrap } from './wrapped.ts'

const rego = `package authz

default decision := false

decision := true if input.tool in data.tools

decision := {"allow": true, "rule": "small"} if {
	input.tool == "pay"
	input.server == "bank"
	input.arguments.amount < 10
}

decision := {"allow": true} if {
	input.tool == "pay"
	input.list
}
`

const pair = newPair('EdDSA', 'release')
const bundle = async (tools: readonly string[], sequence: number) =>
  signedBytes(await foreignFiles({ rego, data: { tools } }), pair, { sequence, issuedAt: 1_772_442_000 })

test('its Rego decides what is listed and what reaches the server, and the next bundle takes its place', async () => {
  const [first, second, older] = await Promise.all([bundle(['echo'], 2), bundle(['free'], 3), bundle(['echo'], 1)])
  let file = ''
  const choose = (folder: string) => {
    file = join(folder, 'authz.tar.gz')
    writeFileSync(file, first)
    writeFileSync(join(folder, 'release.pub'), pair.public)
    return ['-c', file, '--verify-key', join(folder, 'release.pub'), '--server', 'bank']
  }
  await using gate = await wrap('', { choose })
  const listed = async () =>
    ((await gate.ask('tools/list', {})).result.tools as readonly Answer[]).map(({ name }) => name as string)
  const call = (name: string, args: object = {}) => gate.ask('tools/call', { name, arguments: args })
  const become = (bytes: Uint8Array) => {
    writeFileSync(join(dirname(file), 'next'), bytes)
    renameSync(join(dirname(file), 'next'), file)
  }

  assert.deepEqual(await listed(), ['pay', 'echo'])
  assert.equal((await call('pay', { amount: 5 })).result.isError, undefined)
  const { decision, reason_code } = decisionIn(await call('pay', { amount: 50 }))
  assert.deepEqual([decision, reason_code], ['deny', 'REGO_DENIED'])
  assert.match((await call('free')).error.message, /Unknown tool: free/)
  assert.equal((await call('echo')).result.isError, undefined)

  become(second)
  await gate.notification('notifications/tools/list_changed')
  assert.deepEqual(await listed(), ['pay', 'free'])
  become(older)
  await until(() => /was reached already/.test(gate.stderr()), 'that the older bundle is refused')
  assert.deepEqual(await listed(), ['pay', 'free'])
  assert.equal(gate.forwarded().filter((line) => line.includes('"tools/call"')).length, 2)
})
