/** `tollgate diff`: what a change of policies means for the calls that are decided by them. */

import type { ChangeKind } from '../diff/changes.ts'
import type { Report } from '../diff/report.ts'
import type { Side } from '../diff/side.ts'
import { canonical, type Json } from '../model/canonical.ts'
import { TollgateError } from '../model/errors.ts'
import { nameCharsMax } from '../model/limits.ts'
import { nameTrouble } from '../model/message/acts.ts'
import type { PackPolicy } from '../model/pack/policy.ts'
import type { PolicySet } from '../model/policy.ts'
import { needsModel } from '../model/rego.ts'
import { filesOf, type LoadedSet, type PolicyChoice } from '../runtime/policySet.ts'
import { diffText } from './diffText.ts'
import { exitCodes, UsageError } from './exit.ts'
import { choiceOf, loadPolicy } from './policies.ts'
import { paint } from './terminal.ts'
import type { TrustOptions } from './trustOptions.ts'

export interface DiffOptions extends TrustOptions {
  readonly old?: readonly string[]
  readonly new?: readonly string[]
  readonly oldLayer?: readonly string[]
  readonly newLayer?: readonly string[]
  readonly tool?: readonly string[]
  readonly timeout: string
  readonly failOn?: readonly string[]
  readonly json?: boolean
}

export async function diff(files: readonly string[], options: DiffOptions): Promise<void> {
  const [oldChoice, newChoice] = choicesOf(files, options)
  const seconds = secondsOf(options.timeout)
  const failOn = options.failOn && kindsOf(options.failOn)
  const trouble = options.tool?.map((name) => nameTrouble('--tool', name, nameCharsMax)).find(Boolean)
  if (trouble !== undefined) throw new UsageError(trouble)
  const old = await loadPolicy(oldChoice)
  const now = await loadPolicy(newChoice)
  const report = await compared(old, now, seconds, options.tool)
  const text = options.json
    ? JSON.stringify({ old: filesOf(oldChoice), new: filesOf(newChoice), ...report }, null, 2)
    : diffText(report, seconds, (colour, part) => paint(colour, part, process.stdout))
  process.stdout.write(`${text}\n`)
  for (const fault of report.faults) process.stderr.write(`tollgate: a mistake of \`diff\` itself: ${fault}\n`)
  process.exitCode = isFine(report, failOn) ? exitCodes.fine : exitCodes.wrong
}

const changeKinds: readonly ChangeKind[] = ['newly-allowed', 'newly-held', 'newly-denied']

/** Several, each after its own `--fail-on` or with commas between them. Throws a `UsageError`. */
function kindsOf(given: readonly string[]): readonly ChangeKind[] {
  return given
    .flatMap((text) => text.split(','))
    .map((word) => {
      const kind = changeKinds.find((one) => one === word.trim())
      if (kind) return kind
      throw new UsageError(`\`--fail-on\` takes ${changeKinds.map((one) => `\`${one}\``).join(', ')}, got \`${word}\``)
    })
}

/** What is not proved may be a change of any kind. */
function isFine({ changes, not_proved, faults }: Report, failOn: readonly ChangeKind[] | undefined): boolean {
  const counting = failOn ? changes.filter(({ kind }) => failOn.includes(kind)) : changes
  return counting.length === 0 && not_proved.length === 0 && faults.length === 0
}

/** Throws a `UsageError`. */
function choicesOf(files: readonly string[], options: DiffOptions): readonly [PolicyChoice, PolicyChoice] {
  const [old, now, ...more] = files
  const isNamed = options.old ?? options.new ?? options.oldLayer ?? options.newLayer
  if (more.length > 0 || (old !== undefined && (now === undefined || isNamed !== undefined)))
    throw new UsageError(
      'two policies are compared: `tollgate diff OLD NEW`; one of several files is named by `--old FILE` or `--new FILE` again and again, one of layers by `--old-layer NAME=FILE` or `--new-layer NAME=FILE`',
    )
  if (old !== undefined && now !== undefined)
    return [choiceOf({ ...options, config: [old] }), choiceOf({ ...options, config: [now] })]
  return [
    sideChoice('old', options.old, options.oldLayer, options),
    sideChoice('new', options.new, options.newLayer, options),
  ]
}

function sideChoice(
  side: 'old' | 'new',
  config: readonly string[] | undefined,
  layer: readonly string[] | undefined,
  trust: TrustOptions,
): PolicyChoice {
  if (config && layer) throw new UsageError(`\`--${side}\` and \`--${side}-layer\` do not go together`)
  if (!config && !layer)
    throw new UsageError(`the ${side} policy is missing: \`tollgate diff OLD NEW\`, or \`--${side} FILE\``)
  return choiceOf({ ...trust, ...(config && { config }), ...(layer && { layer }) })
}

function secondsOf(written: string): number {
  const seconds = Number(written)
  if (!/^\d+(\.\d+)?$/.test(written) || seconds <= 0 || seconds > 86_400)
    throw new UsageError(`\`--timeout\` is a number of seconds, got \`${written}\``)
  return seconds
}

async function compared(
  old: LoadedSet,
  now: LoadedSet,
  seconds: number,
  tools: readonly string[] | undefined,
): Promise<Report> {
  const { sideOf } = await import('../diff/side.ts')
  const { holdsFor, reportOf, reportOfPacks } = await import('../diff/report.ts')
  const [one, other] = [sideOf(old.policy), sideOf(now.policy)]
  if (!one || !other) {
    if (saySame(old.policy, now.policy)) {
      const nothing = { changes: [], unchanged: [], not_proved: [], faults: [] }
      return { result: 'unchanged', ...nothing, holds_for: holdsFor }
    }
    if (isPack(old.policy) && isPack(now.policy)) return reportOfPacks(old.policy, now.policy)
    throw unsupported(one ? now.policy : old.policy)
  }
  const { compare } = await import('../diff/compare.ts')
  const deadline = () => {
    const end = performance.now() + seconds * 1000
    return () => performance.now() > end
  }
  const ports = { old: evaluateOf(old), new: evaluateOf(now), deadline, ...(tools && { tools }) }
  return reportOf(one as Side, other as Side, compare(one, other, ports))
}

function isPack(set: PolicySet): set is PackPolicy {
  return !('layers' in set) && set.strategy === 'pack'
}

function evaluateOf(loaded: LoadedSet) {
  const active = loaded.active()
  return (input: string) => active.evaluate(input)
}

/** To the letter, without what names them and where it stands. */
function saySame(old: PolicySet, now: PolicySet): boolean {
  const meaning = (set: PolicySet) =>
    canonical(JSON.parse(JSON.stringify(set, (key, value) => (naming.has(key) ? undefined : value))) as Json)
  return meaning(old) === meaning(now)
}

const naming: ReadonlySet<string> = new Set(['id', 'version', 'place', 'sha256', 'manifestSha256'])

function unsupported(set: PolicySet): TollgateError {
  const policies = 'layers' in set ? set.layers.map(({ policy }) => policy) : [set]
  for (const policy of policies) if (policy.strategy === 'rego') return needsModel(policy, '`diff`')
  const id = policies.find(({ strategy }) => strategy === 'pack')?.id
  return new TollgateError(
    'diff_unsupported',
    `\`${id}\` is a policy pack: what it decides depends on the runs that hosts register, which \`diff\` does not solve for: another pack is what it is compared with`,
  )
}
