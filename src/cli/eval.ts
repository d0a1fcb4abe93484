/** `tollgate eval`: the whole gate without the wire. Calls in, decisions out, one JSON object a line, in order. */
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Decision } from '../model/decision.ts'
import { TollgateError } from '../model/errors.ts'
import type { Gate } from '../pep/gate.ts'
import { openGateWith } from '../runtime/open.ts'
import { activePolicy } from '../runtime/policyFile.ts'
import { type CallLine, readCallLine } from './callLine.ts'
import { loadPolicy } from './policies.ts'

export interface EvalOptions {
  readonly config: string
  readonly calls: string
  readonly ledger?: string
}

export async function evaluateCalls({ config, calls, ledger: ledgerFile = ':memory:' }: EvalOptions): Promise<void> {
  const artifact = await loadPolicy(config)
  const input = calls === '-' ? process.stdin : createReadStream(calls)
  let at = Date.now()
  let count = 0
  const newId = () => `00000000-0000-4000-8000-${(++count).toString(16).padStart(12, '0')}`
  const report = (error: unknown) => process.stderr.write(`tollgate: ${error}\n`)
  const { gate, ledger } = openGateWith({ ledgerFile, clock: () => at, newId, report })
  try {
    const activate = once(() => gate.activate(activePolicy(artifact)))
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      if (line.trim() === '') continue
      const read = readCallLine(line)
      at = read.at ?? Date.now()
      // Only now: time never runs backwards in a ledger, and the first call says when its day is.
      activate()
      process.stdout.write(`${JSON.stringify(shown(decide(gate, read)))}\n`)
    }
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause
    throw new TollgateError('calls_unreadable', `\`${calls}\`: there is no such file`, { cause })
  } finally {
    ledger.close()
  }
}

function once(work: () => void): () => void {
  let done = false
  return () => {
    if (!done) work()
    done = true
  }
}

/** An allowed call counts as executed. */
function decide(gate: Gate, read: CallLine): Decision {
  if (!('call' in read))
    return gate.refuse({ reason: 'MALFORMED_CALL', message: read.message, server: '', principal: {}, session: '' })
  const decision = gate.admit([read.call])[0] as Decision
  if (decision.decision === 'allow') gate.settle([{ decisionId: decision.decision_id, status: 'success' }])
  return decision
}

/** The decision without what differs from run to run. */
function shown({ decision_id: _, revision: __, ...said }: Decision): object {
  return said
}
