/** The gate is killed at random moments under load: no call at the server lacks its record, no budget is exceeded. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { openLedger } from '../../src/ledger/ledger.ts'
import { wrap } from './wrapped.ts'

const rounds = 6
const callsPerRound = 60
const cap = 350

test(`killed ${rounds} times under load, nothing reached the server without its record, and the cap held`, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-'))
  const ledgerFile = join(folder, 'ledger.db')
  const atServer: string[] = []
  for (let round = 0; round < rounds; round++) {
    await using gate = await wrap(
      `version: "1"\ndefault: deny\ntools:\n  pay: { rules: [{ spend: { total: ${cap} } }] }\n`,
      { ledger: ledgerFile },
    )
    const exited = once(gate.child, 'exit')
    const delay = Math.random() * 40
    const killed = sleep(delay).then(() => gate.child.kill('SIGKILL'))
    for (let i = 0; i < callsPerRound && gate.child.exitCode === null; i++) {
      gate.write(
        JSON.stringify({
          jsonrpc: '2.0',
          id: i,
          method: 'tools/call',
          params: { name: 'pay', arguments: { amount: 1, nonce: `${round}-${i}` } },
        }),
      )
      if (i % 7 === 0) await sleep(1)
    }
    await killed
    await exited
    await sleep(50)
    for (const line of gate.forwarded()) {
      const nonce = JSON.parse(line).params?.arguments?.nonce
      if (nonce) atServer.push(nonce)
    }
  }
  const ledger = openLedger({ file: ledgerFile })
  const bodies = [...ledger.records()].map(({ body }) => JSON.parse(body))
  const allowed = bodies.filter(({ type, result }) => type === 'decision' && result.decision === 'allow')
  const recorded = new Set(allowed.map((body) => body.arguments.nonce))
  const outcomes = new Set(bodies.filter(({ type }) => type === 'outcome').map(({ decision_id }) => decision_id))
  t.diagnostic(`${atServer.length} calls at the server, ${allowed.length} recorded as allowed`)
  assert.ok(atServer.length > 0, 'something got through before the kills')
  assert.deepEqual(
    atServer.filter((nonce) => !recorded.has(nonce)),
    [],
  )
  assert.equal(new Set(atServer).size, atServer.length)
  assert.ok(allowed.length <= cap)
  assert.deepEqual(
    allowed.filter(({ decision_id }) => !outcomes.has(decision_id)),
    [],
    'every allowed call has an outcome',
  )
  assert.ok(ledger.verify().intact)
  ledger.close()
  rmSync(folder, { recursive: true })
})
