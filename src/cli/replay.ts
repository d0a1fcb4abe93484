/** `tollgate replay`: what another policy would have done to the calls that were recorded. */
import type { ActivePolicy } from '../pep/active.ts'
import { changes } from '../replay/change.ts'
import type { RecordedEvent } from '../replay/event.ts'
import { Replay } from '../replay/replay.ts'
import { type Outcome, type ReplayCounts, Tally } from '../replay/report.ts'
import type { LoadedSet } from '../runtime/policySet.ts'
import { writeTo } from './auditOutput.ts'
import { instantOf } from './auditTime.ts'
import { exitCodes, UsageError } from './exit.ts'
import { choiceOf, loadPolicy, type PolicyOptions } from './policies.ts'
import { progressOn } from './progress.ts'
import { replayMarkdown } from './replayMarkdown.ts'
import { type FileFacts, readDecisionEvents, readLedgerEvents, type Source, sourceOf } from './replaySource.ts'
import { replayText } from './replayText.ts'

export interface ReplayOptions extends Omit<PolicyOptions, 'config'> {
  readonly against?: readonly string[]
  readonly from?: string
  readonly since?: string
  readonly failOn?: readonly string[]
  readonly examples: string
  readonly format: 'text' | 'json' | 'markdown'
  readonly output?: string
}

export interface ReplayReport extends ReplayCounts {
  readonly from: string
  readonly source: Source['kind']
  readonly since: string | null
  readonly against: {
    readonly revision: string
    readonly policies: readonly {
      readonly layer?: string
      readonly policy_id: string
      readonly policy_version: string
    }[]
  }
  /** Decisions that stood behind later ones. */
  readonly disordered: number
  /** Records that an export lacks which is not of decisions alone. */
  readonly missing: number
  /** Words of `--fail-on` that came true. */
  readonly failed: readonly string[]
}

export async function replay(options: ReplayOptions): Promise<void> {
  const { against, from, since, failOn = [], examples, output, format, ...named } = options
  if (against === undefined && named.layer === undefined)
    throw new UsageError(
      'the policy to judge by is missing: name its file with `--against FILE`, or layers with `--layer NAME=FILE`',
    )
  if (against && named.layer)
    throw new UsageError('`--against` and `--layer` do not go together: give each policy as a layer')
  const failing = failOnOf(failOn)
  const examplesMax = examplesOf(examples)
  const start = since === undefined ? undefined : instantOf('--since', since, Date.now())
  const source = sourceOf(from)
  const loaded = await loadPolicy(choiceOf({ ...named, ...(against && { config: against }) }))
  const { counts, facts } = await replayed(source, loaded, {
    examplesMax,
    ...(start !== undefined && { start }),
  })
  const failed = [...failing].filter((word) => isTrue(word, counts))
  const report: ReplayReport = {
    from: source.file,
    source: source.kind,
    since: start === undefined ? null : new Date(start).toISOString(),
    against: { revision: loaded.revision, policies: policiesOf(loaded) },
    ...counts,
    disordered: facts.disordered,
    missing: facts.missing,
    failed,
  }
  await writeTo(output === '-' ? undefined : output, textsOf(report, format))
  const asked = since === undefined ? '' : ` since ${since}`
  if (counts.decisions === 0)
    process.stderr.write(`tollgate: no call is recorded there${asked} that could be judged again\n`)
  process.exitCode = failed.length > 0 || counts.decisions === 0 ? exitCodes.wrong : exitCodes.fine
}

export interface Found {
  readonly counts: ReplayCounts
  readonly facts: FileFacts
}

/** What came before `start` is judged as well: what it took counts. */
export async function replayed(
  { file, kind }: Source,
  loaded: LoadedSet,
  {
    start = Number.NEGATIVE_INFINITY,
    examplesMax = 3,
  }: { readonly start?: number; readonly examplesMax?: number } = {},
): Promise<Found> {
  const again = new Replay(loaded.active())
  const tally = new Tally(examplesMax)
  const take = (event: RecordedEvent) => {
    const judgement = again.take(event)
    if (event.at < start) return
    if (event.kind === 'message') tally.addMessage()
    if (judgement) tally.add(judgement, again.isPinningLeftOut(judgement.recorded))
  }
  const progress = progressOn(process.stderr, 'records')
  try {
    const facts = kind === 'decisions' ? await readDecisionEvents(file, take, progress) : { disordered: 0, missing: 0 }
    if (kind === 'ledger') readLedgerEvents(file, take, progress)
    return { counts: tally.counts(), facts }
  } finally {
    progress.clear()
  }
}

const failWords = new Map<string, readonly Outcome[]>([
  ['newly-allowed', ['newly_allowed']],
  ['newly-denied', ['newly_denied']],
  ['newly-held', ['newly_held']],
  ['undecidable', ['undecidable']],
  ['any', [...changes, 'undecidable']],
])

/** Several, each after its own `--fail-on` or with commas between them. */
function failOnOf(given: readonly string[]): ReadonlySet<string> {
  const words = given.flatMap((text) => text.split(',')).map((word) => word.trim())
  const odd = words.find((word) => !failWords.has(word))
  if (odd !== undefined)
    throw new UsageError(
      `\`--fail-on\` takes ${[...failWords.keys()].map((word) => `\`${word}\``).join(', ')}, got \`${odd}\``,
    )
  return new Set(words)
}

function isTrue(word: string, { changes: found }: ReplayCounts): boolean {
  return (failWords.get(word) ?? []).some((outcome) => found[outcome] > 0)
}

function examplesOf(text: string): number {
  if (/^\d{1,4}$/.test(text)) return Number(text)
  throw new UsageError(`\`--examples\` takes a whole number from 0 to 9999, got \`${text}\``)
}

function policiesOf(loaded: LoadedSet): ReplayReport['against']['policies'] {
  const { policy } = loaded
  const said = ({ id, version }: ActivePolicy['policy']) => ({ policy_id: id, policy_version: version })
  if (!('layers' in policy)) return [said(policy)]
  return policy.layers.map(({ name, policy: own }) => ({ layer: name, ...said(own) }))
}

function textsOf(report: ReplayReport, format: ReplayOptions['format']): Iterable<string> {
  if (format === 'json') return [`${JSON.stringify(report, null, 2)}\n`]
  return format === 'markdown' ? [replayMarkdown(report)] : replayText(report)
}
