/** A process of its own for the tests of approvals: `node approvalWorker.ts gate|person FILE`, until it is ended. */
import { randomUUID } from 'node:crypto'
import { writeSync } from 'node:fs'
import { buildPolicy } from '../../src/bundle/build.ts'
import { openLedger, type SqliteLedger } from '../../src/ledger/ledger.ts'
import { describeWith } from '../../src/log/describe.ts'
import type { Call } from '../../src/model/call.ts'
import { Approvals } from '../../src/pep/approvals.ts'
import { openGateWith } from '../../src/runtime/open.ts'
import { activePolicy } from '../../src/runtime/policyFile.ts'

const [what = '', file = ''] = process.argv.slice(2)
const say = (text: string) => void writeSync(1, `${text}\n`)
const report = (error: unknown) => say(`failed ${String(error)}`)

const callOf = (account: number): Call => ({
  method: 'tools/call',
  server: 'bank',
  name: 'close',
  arguments: { account },
  principal: { user: 'eve' },
  session: String(process.pid),
})

/** Makes the same few calls again and again; says the id of each that it may make. */
async function gate(): Promise<void> {
  const text = 'version: "1"\ndefault: deny\ntools:\n  close: { rules: [{ name: ask, action: require_approval }] }\n'
  const artifact = await buildPolicy({ name: 'policy.yaml', text })
  const { gate } = openGateWith({ ledgerFile: file, report })
  gate.activate(activePolicy(artifact))
  say('open')
  for (let turn = 0; ; turn++) {
    for (const decision of gate.admit([callOf(turn % 3), callOf(turn % 3)]))
      if (decision.decision === 'allow') say(decision.decision_id)
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}

/** Approves whatever waits. */
async function person(): Promise<void> {
  const ledger: SqliteLedger = openLedger({ file })
  const approvals = new Approvals({ ledger, describe: describeWith({ id: randomUUID(), version: '0' }, 'full') })
  say('open')
  for (;;) {
    for (const { request, state } of ledger.approvals()) {
      if (state !== 'pending') continue
      try {
        approvals.approve(request.id, { by: { name: 'ada', known_by: 'os_user', os_user: 'ada' } })
      } catch (error) {
        // Another person was faster.
        if ((error as { code?: string }).code !== 'approval_settled') report(error)
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

if (what === 'gate') await gate()
else if (what === 'person') await person()
else throw new TypeError(`no such work: ${what}`)
