/** The text of `tollgate diff`: by what is called, what changes for it, and a call that shows it. */
import { timeUp } from '../diff/changes.ts'
import type { PackDifference } from '../diff/packs.ts'
import type { About, Report, ReportedChange } from '../diff/report.ts'
import type { Json } from '../model/canonical.ts'
import { unitsText } from '../model/decimal.ts'
import { plain } from '../model/message/plain.ts'
import type { Colour } from './terminal.ts'

type Paint = (colour: Colour, text: string) => string

export function diffText(report: Report, seconds: number, paint: Paint): string {
  const parts = [
    ...groupsOf(report.changes).map((group) => groupText(group, paint)),
    ...packTexts(report.differences, paint),
    ...unprovedText(report, seconds, paint),
    summary(report, paint),
  ]
  return parts.join('\n\n')
}

/** Changes of targets of one kind; others to which the very same happens. */
interface Group {
  readonly changes: readonly ReportedChange[]
  readonly alike: readonly string[]
}

function groupsOf(changes: readonly ReportedChange[]): readonly Group[] {
  const byTarget = Map.groupBy(changes, targetText)
  const groups = new Map<string, { changes: readonly ReportedChange[]; alike: string[] }>()
  for (const [name, own] of byTarget) {
    const key = JSON.stringify(own.map(shape))
    const before = groups.get(key)
    if (before) before.alike.push(name)
    else groups.set(key, { changes: own, alike: [] })
  }
  return [...groups.values()]
}

/** What happens, without to what. */
function shape(change: ReportedChange): unknown {
  const { kind, callers, old, new: now, respelt, names, example } = change
  const own = [...names, example.name]
  const rule = (said: ReportedChange['old']) => [
    said.decision,
    said.reason_code,
    own.includes(said.rule) ? '' : said.rule,
  ]
  return [kind, callers?.text, rule(old), rule(now), respelt]
}

function groupText({ changes, alike }: Group, paint: Paint): string {
  const [first] = changes as [ReportedChange]
  const lines = [paint('bold', targetText(first))]
  for (const { callers, own } of byCallers(changes)) {
    const indent = callers.length > 0 ? '    ' : '  '
    for (const one of callers) lines.push(`  for ${one}`)
    for (const change of own) lines.push(...changeLines(change, paint).map((line) => `${indent}${line}`))
  }
  if (alike.length > 0) lines.push(paint('dim', `  the same for ${listed(alike)}`))
  return lines.join('\n')
}

/** Callers to whom the very same happens stand together. */
function byCallers(changes: readonly ReportedChange[]) {
  const groups = new Map<string, { readonly callers: string[]; readonly own: readonly ReportedChange[] }>()
  for (const [callers, own] of Map.groupBy(changes, (change) => change.callers?.text)) {
    const key = JSON.stringify(own.map(({ callers: _, ...change }) => shape(change)))
    const before = groups.get(key) ?? { callers: [], own }
    groups.set(key, before)
    if (callers !== undefined) before.callers.push(callers)
  }
  return groups.values()
}

const colours = { 'newly-allowed': 'red', 'newly-held': 'yellow', 'newly-denied': 'cyan' } as const

function changeLines(change: ReportedChange, paint: Paint): readonly string[] {
  const { kind, old, new: now, call, times, counters, respelt } = change
  const is = kind === 'newly-allowed' ? '' : `${saidText(now)}, `
  const spelt = respelt === undefined ? '' : `other spellings of an argument, such as \`${respelt}\`, `
  const head = `${paint(colours[kind], kind.replace('-', ' '))}: ${spelt}${is}was ${saidText(old)}`
  const before =
    times !== undefined
      ? [`  the ${ordinal(times)} of these:`]
      : counters !== undefined
        ? [`  when ${countersText(counters)}:`]
        : []
  return [head, ...before, `  ${JSON.stringify(call)}`]
}

function saidText({ decision, rule, reason_code }: ReportedChange['old']): string {
  if (decision === 'allow') return 'allowed'
  return `${decision === 'hold' ? 'held' : 'refused'} by \`${rule}\` (${reason_code})`
}

function countersText(counters: Readonly<Record<string, number>>): string {
  return Object.entries(counters)
    .map(([id, count]) => `\`${id}\` stands at ${id.startsWith('spend(') ? unitsText(count) : count}`)
    .join(' and ')
}

/** By workflow and tool, with what stood there and what stands there now. */
function packTexts(differences: readonly PackDifference[] = [], paint: Paint): readonly string[] {
  const whoseOf = ({ workflow, tool }: PackDifference) =>
    workflow !== undefined ? `workflow ${workflow}` : tool !== undefined ? `tool ${tool}` : 'the pack'
  return [...Map.groupBy(differences, whoseOf)].map(([whose, own]) =>
    [paint('bold', plain(whose)), ...own.map((one) => `  ${plain(differenceText(one))}`)].join('\n'),
  )
}

function differenceText({ change, member, old, new: now }: PackDifference): string {
  if (member === undefined) return change
  const shown = (value: Json | undefined) => (value === undefined ? 'not there' : JSON.stringify(value))
  return `${member}: ${shown(old)}, now ${shown(now)}`
}

function ordinal(times: number): string {
  const tens = times % 100
  const ending = tens >= 11 && tens <= 13 ? 'th' : (['th', 'st', 'nd', 'rd'][times % 10] ?? 'th')
  return `${times}${ending}`
}

const nouns = { 'tools/call': 'tool', 'resources/read': 'resource', 'prompts/get': 'prompt' } as const

function targetText({ method, names, example, is_one }: About): string {
  const noun = nouns[method]
  const [name] = names
  if (is_one && name !== undefined) return method === 'tools/call' ? name : `${noun} ${name}`
  const such = `such as \`${example.server === '' ? '' : `${example.server}/`}${example.name}\``
  if (name === undefined) return `any other ${noun} (${such})`
  return `${noun}s that match ${names.map((one) => `\`${one}\``).join(' and ')} (${such})`
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 20).join(', ')
  return names.length > 20 ? `${shown}, and ${names.length - 20} more` : shown
}

function unprovedText({ not_proved: unproved, changes }: Report, seconds: number, paint: Paint): readonly string[] {
  if (unproved.length === 0) return []
  const byReason = Map.groupBy(unproved, ({ why }) => (why === timeUp ? `not decided in ${seconds} s` : why))
  const lines = [...byReason].map(([why, all]) => {
    const about = all.flatMap(({ why: _, ...one }) => (one.method === undefined ? [] : [aboutText(one as About)]))
    return about.length === 0 ? `  ${why}` : `  ${why}: ${listed(about)}`
  })
  const title = `not proved, there may be ${changes.length === 0 ? '' : 'other '}changes`
  return [[paint('yellow', title), ...lines].join('\n')]
}

function aboutText(about: About): string {
  return about.callers ? `${targetText(about)} for ${about.callers.text}` : targetText(about)
}

function summary({ result, changes, unchanged, not_proved, holds_for }: Report, paint: Paint): string {
  if (result === 'unchanged')
    return [`${paint('green', 'no call changes')}, proved for`, ...holds_for.map((one) => `  - ${one}`)].join('\n')
  const counted = Map.groupBy(changes, ({ kind }) => kind)
  const kinds = (['newly-allowed', 'newly-held', 'newly-denied'] as const).flatMap((kind) => {
    const count = counted.get(kind)?.length ?? 0
    return count === 0 ? [] : [`${count} ${kind.replace('-', ' ')}`]
  })
  const others =
    unchanged.length === 0
      ? []
      : [`no call of ${unchanged.length} other ${unchanged.length === 1 ? 'kind' : 'kinds'} changes`]
  const open = not_proved.length === 0 ? [] : [`${not_proved.length} not proved`]
  return [...kinds, ...open, ...others].join('; ')
}
