/** `tollgate eval`: the whole gate without the wire. Calls in, decisions out, one JSON object a line, in order. */
import { createReadStream, openSync, statSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { type Frame, LineSplitter, tooLong } from '../mcp/framing.ts'
import type { Decision } from '../model/decision.ts'
import { messageOf, TollgateError } from '../model/errors.ts'
import { lineBytesMax } from '../model/limits.ts'
import type { Gate } from '../pep/gate.ts'
import { openGateWith } from '../runtime/open.ts'
import { type CallLine, readCallLine, tooLarge } from './callLine.ts'
import { choiceOf, loadPolicy, type PolicyOptions } from './policies.ts'

export interface EvalOptions extends PolicyOptions {
  readonly calls: string
  readonly ledger?: string
}

export async function evaluateCalls({ calls, ledger: ledgerFile, ...named }: EvalOptions): Promise<void> {
  const loaded = await loadPolicy(choiceOf(named))
  const input = calls === '-' ? standardInput() : openCalls(calls)
  // The first call says when its day is: a ledger that is opened notes the time, and never goes back below it.
  let at = 0
  const report = (error: unknown) => process.stderr.write(`tollgate: ${messageOf(error)}\n`)
  // The same calls give the same text; in a ledger that is kept, ids must not come twice.
  const ids = ledgerFile === undefined ? { newId: countedIds() } : {}
  const listless = ledgerFile === undefined
  const { gate, ledger } = openGateWith({
    ledgerFile: ledgerFile ?? ':memory:',
    clock: () => at,
    report,
    ...ids,
    listless,
  })
  try {
    const activate = once(() => gate.activate(loaded.active()))
    for await (const frame of framesOf(input)) {
      const read = frame === tooLong ? tooLarge(`over ${lineBytesMax}`) : readCallLine(frame)
      at = read.at ?? Date.now()
      // Only now, at the time of the first call.
      activate()
      process.stdout.write(`${JSON.stringify(shown(decide(gate, read)))}\n`)
    }
  } finally {
    ledger.close()
  }
}

/** Somebody at a terminal would wait for us while we wait for them. */
export function standardInput(): Readable {
  if (process.stdin.isTTY)
    process.stderr.write(
      'tollgate: reading calls, one JSON object a line, until Ctrl-D: {"tool":"NAME","arguments":{}}\n',
    )
  return process.stdin
}

/** Lines as the wire splits them. */
export async function* framesOf(input: Readable): AsyncGenerator<Frame> {
  const lines = new LineSplitter(lineBytesMax)
  for await (const chunk of input) yield* lines.push(chunk as Buffer)
  yield* lines.end()
}

/** Throws `calls_unreadable`. */
function openCalls(file: string): Readable {
  try {
    if (statSync(file).isDirectory()) throw new Error('it is a directory')
    return createReadStream(file, { fd: openSync(file, 'r') })
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT'
    throw new TollgateError(
      'calls_unreadable',
      `\`${file}\`: ${missing ? 'there is no such file' : messageOf(cause)}`,
      { cause },
    )
  }
}

export function countedIds(): () => string {
  let count = 0
  return () => `00000000-0000-4000-8000-${(++count).toString(16).padStart(12, '0')}`
}

function once(work: () => void): () => void {
  let done = false
  return () => {
    if (!done) work()
    done = true
  }
}

/** An allowed call counts as executed. */
export function decide(gate: Gate, read: CallLine): Decision {
  if (!('call' in read)) return gate.refuse([{ ...read, server: '', principal: {}, session: '' }])[0] as Decision
  const decision = gate.admit([read.call])[0] as Decision
  if (decision.decision === 'allow') gate.settle([{ decisionId: decision.decision_id, status: 'success' }])
  return decision
}

/** The decision without what differs from run to run. */
function shown({ decision_id: _, revision: __, ...said }: Decision): object {
  return said
}
