/** A process of its own for the tests of the kill switch: `node killWorker.ts FILE [gate|person]`, until it is ended. */
import { writeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { buildPolicy } from '../../src/bundle/build.ts'
import { openLedger } from '../../src/ledger/ledger.ts'
import { describeWith } from '../../src/log/describe.ts'
import type { Call } from '../../src/model/call.ts'
import { Kills } from '../../src/pep/kills.ts'
import { orderedId } from '../../src/runtime/ids.ts'
import { openGateWith } from '../../src/runtime/open.ts'
import { activePolicy } from '../../src/runtime/policyFile.ts'

const [file = '', what = 'once'] = process.argv.slice(2)
const target = { kind: 'session', name: 's-1' } as const
const said = { by: { name: 'ada', known_by: 'os_user', os_user: 'ada' } } as const
const call: Call = { method: 'tools/call', server: '', name: 'pay', arguments: {}, principal: {}, session: 's-1' }

function killsOf(): Kills {
  const describe = describeWith({ id: 'person', version: '0' }, 'full')
  return new Kills({ ledger: openLedger({ file }), describe, newId: orderedId })
}

/** Calls without end, two at a time. */
async function gate(): Promise<void> {
  const text = 'version: "1"\ndefault: deny\ntools: { pay: {} }\n'
  const { gate } = openGateWith({ ledgerFile: file, report: (error) => writeSync(2, `${error}\n`) })
  gate.activate(activePolicy(await buildPolicy({ name: 'policy.yaml', text })))
  writeSync(1, 'open\n')
  for (;;) {
    const decisions = gate.admit([call, call])
    const allowed = decisions.filter(({ decision }) => decision === 'allow')
    gate.settle(allowed.map(({ decision_id }) => ({ decisionId: decision_id, status: 'success' })))
    await sleep(1)
  }
}

/** Stops and lifts without end. */
async function person(): Promise<void> {
  const kills = killsOf()
  writeSync(1, 'open\n')
  for (;;) {
    kills.kill(target, said)
    await sleep(10)
    kills.lift(target, said)
    await sleep(10)
  }
}

if (what === 'gate') await gate()
else if (what === 'person') await person()
else {
  killsOf().kill(target, said)
  writeSync(1, 'stopped\n')
  setInterval(() => {}, 1_000)
}
