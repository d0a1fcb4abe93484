/** `toNative`: a policy of another language, as a native file that means the same. What cannot be said is a mistake with its place. */
import { canonical, type Json } from '../model/canonical.ts'
import type { AllPolicy, ModelledPolicy } from '../model/policy.ts'
import { type Diagnostic, Report, type Spot } from '../policy/diagnostics.ts'
import { parseInto, parsePolicy } from '../policy/parse.ts'
import { type Node, readSource } from '../policy/source.ts'
import { readText, start } from '../policy/text.ts'
import { allOut } from './all.ts'
import { placeComments } from './comments.ts'
import { firstOut } from './first.ts'
import { Origins } from './origins.ts'
import { type MapOut, type Printed, print, text } from './yaml.ts'

export interface Converted {
  /** Only when no diagnostic is an error. */
  readonly text?: string
  readonly diagnostics: readonly Diagnostic[]
}

/** `file` is what the source is called: it may be the id of the policy. */
export function toNative(file: string, source: string | Uint8Array): Converted {
  const report = new Report(file)
  const { policy } = parseInto(report, source)
  const bare = policy && readText(source, new Report(file))
  const root = bare === undefined ? undefined : readSource(bare, new Report(file))
  const converted = policy && root && bare !== undefined ? written(policy, root, bare, report) : undefined
  const diagnostics = report.diagnostics()
  return converted === undefined || report.failed ? { diagnostics } : { text: converted, diagnostics }
}

function written(policy: ModelledPolicy, root: Node, source: string, report: Report): string | undefined {
  if (policy.language === 'native') return withId(policy.id, root, source)
  const out = outOf(policy, new Origins(root, report), report)
  if (!out) return undefined
  const { remarksOf, end } = placeComments(source, out)
  const printed = print(out, remarksOf, end)
  reportDifferences(policy, printed, report)
  return printed.text
}

function outOf(policy: ModelledPolicy, origins: Origins, report: Report): MapOut | undefined {
  switch (policy.strategy) {
    case 'all':
      return allOut(policy, origins)
    case 'first':
      return firstOut(policy, origins)
    case 'pack': {
      const why =
        'a policy pack judges the run of a workflow, for which the native language has no words: use it as it is'
      report.error(start, 'not_convertible', why)
      return undefined
    }
  }
  return policy satisfies never
}

/** A file that is native already needs its name in it alone: it is what the counters belong to. */
function withId(id: string, root: Node, source: string): string {
  if (root.kind !== 'map' || root.entries.some(({ key }) => key === 'policy_id')) return source
  const lines = source.split('\n')
  const { line, col } = root.at
  const offset = lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0) + col - 1
  const said =
    source[offset] === '{'
      ? `{ "policy_id": ${JSON.stringify(id)},`
      : `policy_id: ${text(id).text}\n${' '.repeat(col - 1)}`
  return source.slice(0, offset) + said + source.slice(source[offset] === '{' ? offset + 1 : offset)
}

/** The text is read again: what it does not say, or says otherwise, is told at the place in the source. */
function reportDifferences(policy: ModelledPolicy, printed: Printed, report: Report): void {
  const { lines } = printed
  const read = parsePolicy({ file: report.file, text: printed.text })
  for (const { severity, line, message } of read.diagnostics) {
    if (severity !== 'error') continue
    const at = { line: lines[line - 1] ?? 1, col: 1 }
    report.error(at, 'not_convertible', `the native language cannot say this: ${message}`)
  }
  if (!read.policy || meaningOf(read.policy) === meaningOf(policy)) return
  report.error(
    placeOfDifference(policy, read.policy),
    'not_convertible',
    'the native language cannot say this as it is meant here',
  )
}

/** Everything but where it stands and in which language. */
export function meaningOf(part: object): string {
  return canonical(
    JSON.parse(
      JSON.stringify(part, (key, value) => (key === 'place' || key === 'language' ? undefined : value)),
    ) as Json,
  )
}

/** The first rule or entry that is not the same. */
function placeOfDifference(policy: ModelledPolicy, read: ModelledPolicy): Spot {
  if (policy.strategy === 'first' && read.strategy === 'first')
    return policy.rules.find((one, at) => !isSame(one, read.rules[at]))?.place ?? start
  if (policy.strategy !== 'all' || read.strategy !== 'all') return start
  const index = policy.entries.findIndex((one, at) => !isSame(one, read.entries[at]))
  const entry: AllPolicy['entries'][number] | undefined = policy.entries[index]
  if (!entry) return start
  const rule = entry.rules.find((one, at) => !isSame(one, read.entries[index]?.rules[at]))
  return (rule ?? entry).place
}

function isSame(one: object, other: object | undefined): boolean {
  return other !== undefined && meaningOf(one) === meaningOf(other)
}
