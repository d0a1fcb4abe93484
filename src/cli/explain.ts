/** `tollgate explain`: why a call is decided as it is, or was. */
import { Readable } from 'node:stream'
import { type Artifact, decodeArtifact } from '../bundle/artifact.ts'
import { type Body, bodyOf } from '../log/body.ts'
import { layersNamedIn, policyNamedIn } from '../log/policies.ts'
import { tooLong } from '../mcp/framing.ts'
import { TollgateError } from '../model/errors.ts'
import { lineBytesMax } from '../model/limits.ts'
import { openGateWith } from '../runtime/open.ts'
import { existingLedger, type RecordSource, readLedger } from './auditLedger.ts'
import { readCallLine, tooLarge } from './callLine.ts'
import { countedIds, decide, framesOf } from './eval.ts'
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
  if (asked && ledger !== undefined)
    throw new UsageError('a call is explained by a policy, and a decision by its ledger: take one of them')
  const explained = asked ? await explainedCall(what, named) : explainedRecord(what, ledger)
  const text = json
    ? JSON.stringify(explained, null, 2)
    : explanationText(explained, (colour, part) => paint(colour, part, process.stdout))
  process.stdout.write(`${text}\n`)
}

/** Judged by the gate as `eval` does it, all calls in order; the last one is explained. */
async function explainedCall(what: string, named: PolicyOptions): Promise<Explained> {
  const loaded = await loadPolicy(choiceOf(named))
  const input = what === '-' ? process.stdin : Readable.from([Buffer.from(what)])
  let at = Date.now()
  const report = (error: unknown) => {
    throw error
  }
  const { gate, ledger } = openGateWith({ ledgerFile: ':memory:', clock: () => at, report, newId: countedIds() })
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
    return explainRecord(
      bodyOf(record),
      keptIn(bodyOf(record), (revision) => ledger.policy(revision)),
    )
  } finally {
    ledger.close()
  }
}

/** Throws `decision_unknown`. */
function explainedRecord(decisionId: string, named: string | undefined): Explained {
  const file = existingLedger(named)
  const { body, kept } = readLedger(file, (source) => found(source, decisionId)) ?? {}
  if (!body) throw new TollgateError('decision_unknown', `no decision in \`${file}\` has the id \`${decisionId}\``)
  return { decision_id: decisionId, ...explainRecord(body, kept ?? []) }
}

function found(source: RecordSource, decisionId: string): { body: Body; kept: readonly KeptPolicy[] } | undefined {
  const record = source.records.ofDecision(decisionId).find(({ kind }) => kind === 'decision' || kind === 'check')
  if (!record) return undefined
  const body = bodyOf(record)
  return { body, kept: keptIn(body, (revision) => source.policy(revision)) }
}

/** The policies that a record names. Throws `artifact_damaged` when one of them is not kept. */
function keptIn(body: Body, stored: (revision: string) => Uint8Array | undefined): readonly KeptPolicy[] {
  const read = (revision: string): Artifact => {
    const bytes = stored(revision)
    if (!bytes) throw new TollgateError('artifact_damaged', `the ledger does not keep revision ${revision}`)
    return decodeArtifact(bytes)
  }
  const layers = layersNamedIn(body)
  if (layers) return layers.map(({ name, revision }) => ({ layer: name, revision, policy: read(revision).policy }))
  const named = policyNamedIn(body)
  return named ? [{ revision: named.revision, policy: read(named.revision).policy }] : []
}
