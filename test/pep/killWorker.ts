/** A process of its own for the tests of the kill switch: stops a session of the ledger, says so, and waits to be killed. */
import { writeSync } from 'node:fs'
import { openLedger } from '../../src/ledger/ledger.ts'
import { describeWith } from '../../src/log/describe.ts'
import { Kills } from '../../src/pep/kills.ts'

const ledger = openLedger({ file: process.argv[2] ?? '' })
const describe = describeWith({ id: 'person', version: '0' }, 'full')
const kills = new Kills({ ledger, describe, newId: () => '1' })
kills.kill({ kind: 'session', name: 's-1' }, { by: { name: 'ada', known_by: 'os_user', os_user: 'ada' } })
writeSync(1, 'stopped\n')
setInterval(() => {}, 1_000)
