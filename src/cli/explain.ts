/** `tollgate explain`: why a call is decided as it is, or was. */
import { Readable } from 'node:stream'
import { type Artifact, decodeArtifact } from '../bundle/artifact.ts'
import { type Body, bodyOf } from '../log/body.ts'
import { layersNamedIn, policyNamedIn } from '../log/policies.ts'
import { tooLong } from '../mcp/framing.ts'
import { TollgateError } from '../model/errors.ts'
import { lineBytesMax, provingMsMax } from '../model/limits.ts'
import { engineOf } from '../pdp/ask.ts'
import { openGateWith } from '../runtime/open.ts'
import { existingLedger, type RecordSource, readLedger } from './auditLedger.ts'
import { readCallLine, tooLarge } from './callLine.ts'
import { countedIds, decide, framesOf, standardInput } from './eval.ts'
import { UsageError } from './exit.ts'
import { type Explained, explainRecord, type KeptPolicy } from './explainRecord.ts'
import { explanationText } from './explainText.ts'
import { choiceOf, loadPolicy, type PolicyOptions } from './policies.ts'
import { paint } from './terminal.ts'

export interface ExplainOptions extends PolicyOptions {
  readonly ledger?: string
  readonly json?: boolean
}

export async function explainDecision(what: string, { ledger, json = false, ...named }: ExplainOptions): Promise<void> {
  const asked = named.config !== undefined || named.layer !== undefined
  const explained = asked ? await explainedCall(what, named, ledger) : explainedRecord(what, ledger)
  const text = json
    ? JSON.stringify(explained, null, 2)
    : explanationText(explained, (colour, part) => paint(colour, part, process.stdout))
  process.stdout.write(`${text}\n`)
}

/**
 * Judged by the gate as `eval` does it, all calls in order; the last one is explained. What was spent and approved before
 * them is nothing, or what a ledger has, which is left as it is.
 */
async function explainedCall(what: string, named: PolicyOptions, stateOf: string | undefined): Promise<Explained> {
  const choice = choiceOf(named)
  if (what !== '-' && !what.trimStart().startsWith('{'))
    throw new UsageError(
      `a call is one line of JSON, like \`{"tool":"create_refund","arguments":{"amount":5}}\`, got \`${what}\``,
    )
  const known = stateOf === undefined ? undefined : existingLedger(stateOf)
  const loaded = await loadPolicy(choice)
  const input = what === '-' ? standardInput() : Readable.from([Buffer.from(what)])
  let at = Date.now()
  const report = (error: unknown) => {
    throw error
  }
  const { gate, ledger } = openGateWith({
    ledgerFile: ':memory:',
    ...(known !== undefined && { stateOf: known }),
    clock: () => at,
    report,
    newId: countedIds(),
    listless: known === undefined,
  })
  try {
    let active = false
    for await (const frame of framesOf(input)) {
      const read = frame === tooLong ? tooLarge(`over ${lineBytesMax}`) : readCallLine(frame)
      at = read.at ?? Date.now()
      if (!active) gate.activate(loaded.active())
      active = true
      decide(gate, read)
    }
    const record = [...ledger.records()].findLast(({ kind }) => kind === 'decision')
    if (!record) throw new UsageError('there is no call to explain: give it as one line of JSON, as `eval` reads it')
    const kept = keptIn(bodyOf(record), (revision) => ledger.policy(revision))
    return { ...explainRecord(bodyOf(record), kept), known_from: known ?? null }
  } finally {
    ledger.close()
  }
}

/** Throws `decision_unknown`. */
function explainedRecord(named: string, ledger: string | undefined): Explained {
  const file = existingLedger(ledger)
  const found = readLedger(file, (source) => foundIn(source, named))
  if (!found)
    throw new TollgateError(
      'decision_unknown',
      `no decision in \`${file}\` has the ${isSeq(named) ? 'number' : 'id'} \`${named}\`: \`tollgate audit\` shows the numbers, and with \`--format jsonl\` the ids`,
    )
  return { decision_id: found.decisionId, ...explainRecord(found.body, found.kept) }
}

/** Ids of decisions are never numbers alone. */
function isSeq(named: string): boolean {
  return /^[1-9]\d{0,14}$/.test(named)
}

interface Found {
  readonly decisionId: string
  readonly body: Body
  readonly kept: readonly KeptPolicy[]
}

/** By its id, or by the place in the chain of a record of it. */
function foundIn(source: RecordSource, named: string): Found | undefined {
  const decisionId = isSeq(named) ? decisionAt(source, Number(named)) : named
  if (decisionId === undefined) return undefined
  const record = source.records.ofDecision(decisionId).find(({ kind }) => kind === 'decision' || kind === 'check')
  if (!record) return undefined
  const body = bodyOf(record)
  return { decisionId, body, kept: keptIn(body, (revision) => source.policy(revision)) }
}

function decisionAt({ records }: RecordSource, seq: number): string | undefined {
  const [record] = records.read(seq - 1, 1)
  return record?.seq === seq ? record.decisionId : undefined
}

/** The policies that a record names. Throws `artifact_damaged` when one of them is not kept. */
function keptIn(body: Body, stored: (revision: string) => Uint8Array | undefined): readonly KeptPolicy[] {
  const read = (revision: string): Artifact => {
    const bytes = stored(revision)
    if (!bytes) throw new TollgateError('artifact_damaged', `the ledger does not keep revision ${revision}`)
    return decodeArtifact(bytes)
  }
  const keptAs = (revision: string): KeptPolicy => {
    const artifact = read(revision)
    const { policy } = artifact
    return {
      revision,
      policy,
      ...(policy.strategy === 'rego' && { evaluate: (input) => engineOf(artifact, provingMsMax).evaluate(input) }),
    }
  }
  const layers = layersNamedIn(body)
  if (layers) return layers.map(({ name, revision }) => ({ layer: name, ...keptAs(revision) }))
  const named = policyNamedIn(body)
  return named ? [keptAs(named.revision)] : []
}
