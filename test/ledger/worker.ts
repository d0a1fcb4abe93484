/** A process of its own for the tests of the ledger: `node worker.ts WHAT FILE [WORDS...]`. */
import { randomUUID } from 'node:crypto'
import { rmSync, writeSync } from 'node:fs'
import { openLedger } from '../../src/ledger/ledger.ts'
import type { Transaction } from '../../src/model/ledger.ts'
import { counter, total } from './fixtures.ts'

const [what = '', file = '', ...words] = process.argv.slice(2)
const say = (text: string) => void writeSync(1, `${text}\n`)
const codeOf = (thrown: unknown) => String((thrown as { code?: unknown }).code)

/** Charges one call to a budget where there is room, and records either way. */
function decide(tx: Transaction, key: ReturnType<typeof counter>, max: number): string | undefined {
  const decisionId = randomUUID()
  const allowed = tx.used(key).used + 1 <= max
  if (allowed) tx.reserve(decisionId, key, 1)
  tx.append({
    kind: 'decision',
    decisionId,
    body: JSON.stringify({ decision: allowed ? 'allow' : 'deny', of: key.key }),
  })
  return allowed ? decisionId : undefined
}

/** As fast as it can until it is killed, or for so many calls; says `opening`, `open`, and each allowed call once it may be sent. */
function spend(budget: string, max: number, calls: number): void {
  say('opening')
  const ledger = openLedger({ file })
  const key = counter(budget, total)
  say('open')
  for (let i = 0; i < calls; i++) {
    const allowed = ledger.transact((tx) => decide(tx, key, max))
    if (allowed === undefined) continue
    say(allowed)
    if (i % 3 === 0) continue
    const status = i % 3 === 1 ? 'error' : 'success'
    ledger.transact((tx) => {
      tx.settle(allowed, status === 'error' ? 'released' : 'kept')
      tx.append({ kind: 'outcome', decisionId: allowed, body: JSON.stringify({ status, of: budget }) })
    })
  }
  ledger.close()
}

/** Lets one call through and waits for its end. */
function wait(): void {
  const ledger = openLedger({ file, ...(words[0] !== undefined && { instance: words[0] }) })
  say(ledger.transact((tx) => decide(tx, counter('waiting', total), 1_000)) ?? 'none')
  process.stdin.resume()
  process.stdin.on('end', () => ledger.close())
}

/** Keeps the write lock for so many milliseconds. */
function block(ms: number): void {
  const ledger = openLedger({ file })
  ledger.transact(() => {
    say('blocked')
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
  })
  ledger.close()
}

/** Writes until the disk is full, makes room, and goes on; says what happened as JSON. */
function fill(ballast: string): void {
  const ledger = openLedger({ file })
  const key = counter('calls', total)
  const call = () => ledger.transact((tx) => decide(tx, key, 1_000_000))
  const codes: string[] = []
  while (codes.length < 3) {
    try {
      call()
    } catch (thrown) {
      codes.push(codeOf(thrown))
    }
  }
  const refused = ledger.head().seq
  rmSync(ballast)
  call()
  const { seq } = ledger.head()
  const used = ledger.transact((tx) => tx.used(key).used)
  say(JSON.stringify({ codes, went_on: seq === refused + 1, agrees: used === seq, intact: ledger.verify().intact }))
  ledger.close()
}

/** Says how opening for writing and for reading goes. */
function look(): void {
  const tries = [false, true].map((readOnly) => {
    try {
      const ledger = openLedger({ file, readOnly })
      const { intact } = ledger.verify()
      ledger.close()
      return intact ? 'intact' : 'broken'
    } catch (thrown) {
      return codeOf(thrown)
    }
  })
  say(JSON.stringify(tries))
}

if (what === 'spend') spend(words[0] ?? '', Number(words[1]), Number(words[2] ?? Number.POSITIVE_INFINITY))
else if (what === 'wait') wait()
else if (what === 'block') block(Number(words[0]))
else if (what === 'fill') fill(words[0] ?? '')
else if (what === 'look') look()
else throw new TypeError(`no such work: ${what}`)
