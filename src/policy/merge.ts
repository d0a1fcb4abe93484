/** Several files that make one policy: what the later ones say is added to the first, whose default, id and version count. */
import type { FirstPolicy } from '../model/ordered.ts'
import { strictest } from '../model/pinning.ts'
import type { AllPolicy, Counter, Entry, ModelledPolicy } from '../model/policy.ts'
import { reportSize as reportRules } from './aegis/reach.ts'
import { type Diagnostic, quote, Report } from './diagnostics.ts'
import { deepFreeze } from './freeze.ts'
import { type ParsedPolicy, type PolicySource, parseInto } from './parse.ts'
import { start } from './text.ts'
import { reportUnwanted } from './warnings/warnings.ts'
import { reportSize } from './whole.ts'

export interface MergedPolicy {
  /** Only when no diagnostic is an error. */
  readonly policy?: ModelledPolicy
  /** Knows where the parts of the policy stand, in whichever file; more can be said in it. */
  readonly report: Report
  diagnostics(): readonly Diagnostic[]
}

/** Every mistake of every file; only when there is none, what keeps them from being one policy. */
export function parsePolicies(sources: readonly PolicySource[]): ParsedPolicy {
  const { policy, diagnostics } = mergePolicies(sources)
  return deepFreeze({ ...(policy && { policy }), diagnostics: diagnostics() })
}

/** The same with the report that is kept. */
export function mergePolicies(sources: readonly PolicySource[]): MergedPolicy {
  const [only, ...others] = sources
  if (only && others.length === 0) {
    const report = new Report(only.file)
    const { policy } = parseInto(report, only.text, only.beside)
    return { ...(policy && { policy }), report, diagnostics: () => report.diagnostics() }
  }
  const { parts, reports, diagnostics } = readParts(sources)
  const report = Report.together(reports)
  const all = () => [...diagnostics, ...report.diagnostics()]
  if (parts.length < sources.length) return { report, diagnostics: all }
  const policy = mergedParts(parts, report)
  if (policy) reportUnwanted(policy, report)
  return { ...(policy && { policy }), report, diagnostics: all }
}

interface Part {
  readonly file: string
  readonly policy: ModelledPolicy
}

/** Files that are to be one policy, each for itself. */
export function readParts(sources: readonly PolicySource[]) {
  const read = sources.map(({ file, text, beside }) => {
    const report = new Report(file, { isPart: true })
    return { file, report, ...parseInto(report, text, beside) }
  })
  return {
    parts: read.flatMap(({ file, policy }): readonly Part[] => (policy ? [{ file, policy }] : [])),
    reports: read.map(({ report }) => report),
    // What is not listed gets what the first file says.
    diagnostics: read.flatMap((one, index) =>
      one.diagnostics.filter(({ code }) => index === 0 || code !== 'no_default'),
    ),
  }
}

function mergedParts([base, ...added]: readonly Part[], report: Report): ModelledPolicy | undefined {
  let policy = base?.policy
  for (const { file, policy: next } of added)
    policy = policy && withPinning(merged(policy, next, { base: base?.file ?? '', added: file }, report), policy, next)
  return policy && deepFreeze(policy)
}

/** What either of them asks of tools is asked. */
function withPinning(
  both: ModelledPolicy | undefined,
  base: ModelledPolicy,
  added: ModelledPolicy,
): ModelledPolicy | undefined {
  const pinning = strictest([base.pinning, added.pinning])
  return both && pinning ? { ...both, pinning } : both
}

/** Undefined when they cannot be one; the report says why. */
function merged(
  base: ModelledPolicy,
  added: ModelledPolicy,
  files: { readonly base: string; readonly added: string },
  report: Report,
): ModelledPolicy | undefined {
  const at = { ...start, file: files.added }
  if (base.strategy !== added.strategy) {
    const message = `${quote(files.base)} decides ${how[base.strategy]} and this file ${how[added.strategy]}: only files of one kind are one policy; give each its own \`--layer\` instead`
    report.error(at, 'contradiction', message)
    return undefined
  }
  if (base.strategy === 'all' && added.strategy === 'all') return mergedAll(base, added, report)
  if (base.strategy === 'first' && added.strategy === 'first') return mergedFirst(base, added, report)
  const message = `a file that decides ${how[base.strategy]} is whole: give each its own \`--layer\` instead`
  report.error(at, 'contradiction', message)
  return undefined
}

const how: Readonly<Record<ModelledPolicy['strategy'], string>> = {
  all: 'by rules that must all pass',
  first: 'by the first rule that matches',
  pack: 'by the run of a workflow',
}

/** The rules of the base are asked before those that are added. */
function mergedFirst(base: FirstPolicy, added: FirstPolicy, report: Report): FirstPolicy | undefined {
  const rules = [...base.rules, ...added.rules]
  reportRules(rules, report)
  return report.failed ? undefined : { ...base, rules }
}

/** What binds everything stays last: the answer then names the narrower rule. */
function mergedAll(base: AllPolicy, added: AllPolicy, report: Report): AllPolicy | undefined {
  reportClashes(base.entries, added.entries, report)
  const entries = [...base.entries, ...added.entries]
  reportSize(entries, report)
  if (report.failed) return undefined
  return { ...base, entries: [...entries.filter(({ lists }) => lists), ...entries.filter(({ lists }) => !lists)] }
}

/** Rules and counters are found by the name of their entry: in records, and in the ledger. */
function reportClashes(before: readonly Entry[], added: readonly Entry[], report: Report): void {
  const known = new Map(before.map((entry) => [`${entry.method} ${entry.key}`, entry]))
  const counted = new Map(countersIn(before).map(([counter, entry]) => [counter.id, { counter, entry }]))
  for (const entry of added) {
    const other = known.get(`${entry.method} ${entry.key}`)
    if (!other) continue
    const { file, line } = other.place
    const message = `${quote(entry.key)} stands in ${quote(`${file}:${line}`)} too: put all of its rules into one of the files`
    report.error(entry.place, 'duplicate_key', message)
  }
  if (report.failed) return
  for (const [counter, entry] of countersIn(added)) {
    const other = counted.get(counter.id)
    if (!other || JSON.stringify(other.counter) === JSON.stringify(counter)) continue
    const { file, line } = other.entry.place
    const message = `a counter of ${quote(entry.key)} and one of ${quote(other.entry.key)} (${quote(`${file}:${line}`)}) have one name, ${quote(counter.id)}`
    report.error(entry.place, 'contradiction', message)
  }
}

function countersIn(entries: readonly Entry[]): readonly (readonly [Counter, Entry])[] {
  return entries.flatMap((entry) =>
    entry.rules.flatMap(({ limits, readings = [] }) =>
      [...limits, ...readings].map(({ counter }) => [counter, entry] as const),
    ),
  )
}
