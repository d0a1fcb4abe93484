/** What a replay found, for a person at a terminal. */
import { plain } from '../model/message/plain.ts'
import { type Counts, type Outcome, outcomes } from '../replay/report.ts'
import type { ReplayReport } from './replay.ts'
import { afterText, againstText, argumentsText, changedIn, decidedText, notesOf, outcomeWords } from './replayWords.ts'
import { type Column, tableLines } from './table.ts'
import { type Colour, paint } from './terminal.ts'

/** Rows of a table that are printed; `--json` has all. */
const rowsMax = 15
const argumentsCharsMax = 160

const colours: Readonly<Partial<Record<Outcome, Colour>>> = {
  newly_allowed: 'yellow',
  newly_denied: 'red',
  newly_held: 'cyan',
  undecidable: 'yellow',
}

export function* replayText(report: ReplayReport): Generator<string> {
  yield* headLines(report)
  yield* countTable('TOOL', report.by_tool, ({ server, name }) => (server === '' ? name : `${name} at ${server}`))
  yield* countTable('AGENT', report.by_agent, ({ agent }) => agent ?? 'nobody knows')
  yield* ruleLines(report)
}

function* headLines(report: ReplayReport): Generator<string> {
  const { from, first, last, since, decisions, unchanged, changes, failed } = report
  const counts = outcomes.filter((outcome) => changes[outcome] > 0)
  const lines = [
    [
      'from',
      `${plain(from)}${first === null ? '' : `, ${first} to ${last}`}${since === null ? '' : `, since ${since}`}`,
    ],
    ['against', againstText(report)],
    ['decisions', `${decisions}, of which ${unchanged} ${unchanged === 1 ? 'stays as it is' : 'stay as they are'}`],
    ...counts.map((outcome, index) => [
      index === 0 ? 'changed' : '',
      paint(colours[outcome] ?? 'dim', `${changes[outcome]} ${outcomeWords[outcome]}`, process.stdout),
    ]),
    ...(decisions > 0 && changedIn(report) === 0 ? [['changed', paint('green', 'nothing', process.stdout)]] : []),
    ...notesOf(report).map((note, index) => [index === 0 ? 'besides' : '', note]),
    ...(failed.length > 0 ? [['fails on', paint('red', failed.join(', '), process.stdout)]] : []),
  ]
  for (const [name = '', text] of lines) yield `${name.padEnd(10)} ${text}\n`
}

const titles: Readonly<Record<Outcome, string>> = {
  newly_allowed: 'ALLOWED',
  newly_denied: 'DENIED',
  newly_held: 'HELD',
  other_rule: 'RULE',
  other_reason: 'REASON',
  undecidable: 'UNDECIDABLE',
}

/** Those that change, the most first. */
function* countTable<T extends Counts & { readonly decisions: number }>(
  title: string,
  all: readonly T[],
  nameOf: (row: T) => string,
): Generator<string> {
  const changed = all.filter((row) => outcomes.some((outcome) => row[outcome] > 0))
  if (changed.length === 0) return
  const used = outcomes.filter((outcome) => changed.some((row) => row[outcome] > 0))
  const columns: Column<T>[] = [
    { title, least: 12, cell: nameOf },
    { title: 'DECISIONS', least: 9, cell: ({ decisions }) => String(decisions) },
    ...used.map((outcome) => ({
      title: titles[outcome],
      least: titles[outcome].length,
      cell: (row: T) => (row[outcome] === 0 ? '' : String(row[outcome])),
    })),
  ]
  yield '\n'
  yield* tableLines(
    columns,
    changed.slice(0, rowsMax),
    process.stdout.columns ?? Number.POSITIVE_INFINITY,
    process.stdout,
  )
  if (changed.length > rowsMax) yield `and ${changed.length - rowsMax} more\n`
}

function* ruleLines({ by_rule: rules }: ReplayReport): Generator<string> {
  for (const row of rules.slice(0, rowsMax)) {
    const what = paint(colours[row.outcome] ?? 'bold', outcomeWords[row.outcome], process.stdout)
    yield `\n${what}, ${row.decisions}: ${decidedText(row.before)} → ${afterText(row)}\n`
    for (const example of row.examples) {
      const { timestamp, name, principal, decision_id } = example
      const who = principal.agent === undefined ? '' : ` of ${plain(principal.agent)}`
      yield `  ${timestamp}  ${plain(name)}${who}  ${argumentsText(example, argumentsCharsMax)}\n`
      yield `${paint('dim', `    ${plain(decision_id)}${neededText(example.needs)}`, process.stdout)}\n`
    }
  }
  if (rules.length > rowsMax) yield `\nand ${rules.length - rowsMax} more kinds of change: \`--json\` has them\n`
}

function neededText(needs: readonly string[] = []): string {
  return needs.length === 0 ? '' : `, the policy reads ${needs.slice(0, 5).map(plain).join(', ')}`
}
