/** A gate with a real ledger in memory, whose ids count up, and what its tests ask of it. */
import { openLedger, type SqliteLedger } from '../../src/ledger/ledger.ts'
import { describeWith } from '../../src/log/describe.ts'
import type { Call } from '../../src/model/call.ts'
import type { Decision } from '../../src/model/decision.ts'
import type { Ledger } from '../../src/model/ledger.ts'
import { Gate } from '../../src/pep/gate.ts'

export interface Opened {
  readonly gate: Gate
  readonly ledger: SqliteLedger
  readonly reported: unknown[]
}

export interface Changes {
  readonly ledger?: (real: SqliteLedger) => Ledger
  readonly describe?: () => string
  readonly later?: (work: () => void) => void
}

/** No policy is active yet. */
export function opened(changes: Changes = {}): Opened {
  const ledger = openLedger({ file: ':memory:' })
  const reported: unknown[] = []
  let count = 0
  const gate = new Gate({
    ledger: changes.ledger?.(ledger) ?? ledger,
    describe: changes.describe ?? describeWith({ id: 'test', version: '0' }, 'full'),
    newId: () => `id-${++count}`,
    report: (error) => reported.push(error),
    ...(changes.later && { later: changes.later }),
  })
  return { gate, ledger, reported }
}

export const call = (name: string, args: Call['arguments'] = {}): Call => ({
  method: 'tools/call',
  server: 's',
  name,
  arguments: args,
  principal: {},
  session: 'x',
})

export const only = (decisions: readonly Decision[]): Decision => decisions[0] as Decision

export const bodies = (ledger: SqliteLedger) => [...ledger.records()].map(({ body }) => JSON.parse(body))
