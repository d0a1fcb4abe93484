/**
 * What a replay found, as Markdown for a pull request. Names and arguments were chosen by agents: they stand in code, where
 * they mention nobody and link nowhere.
 */
import { plain } from '../model/message/plain.ts'
import { type Counts, type Example, outcomes } from '../replay/report.ts'
import type { ReplayReport } from './replay.ts'
import { afterText, againstText, argumentsText, changedIn, decidedText, notesOf, outcomeWords } from './replayWords.ts'

/** A comment has room for some ten thousand characters. */
const rowsMax = 20
const argumentsCharsMax = 120

export function replayMarkdown(report: ReplayReport): string {
  const { decisions, first, last, unchanged, changes, undecidable } = report
  const changed = changedIn(report)
  const title = changed === 0 ? 'nothing changes' : `${changed} of ${decisions} recorded decisions change`
  const when = first === null ? '' : `, ${first} to ${last}`
  const counts = outcomes.filter((outcome) => changes[outcome] > 0)
  const parts = [
    `### Replay: ${title}`,
    `${decisions} recorded decisions${when}, judged again by ${code(againstText(report))}; ${unchanged} ${unchanged === 1 ? 'stays as it is' : 'stay as they are'}.`,
    counts.length === 0
      ? ''
      : table(
          ['change', 'decisions'],
          counts.map((one) => [outcomeWords[one], changes[one]]),
        ),
    Object.keys(undecidable).length === 0
      ? ''
      : 'What is undecidable is neither a yes nor a no: the record does not say enough.',
    countTable('tool', report.by_tool, ({ server, name }) => (server === '' ? name : `${name} at ${server}`)),
    countTable('agent', report.by_agent, ({ agent }) => agent ?? ''),
    ruleTable(report),
    ...notesOf(report).map((note) => `- ${note}`),
  ]
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`
}

function countTable<T extends Counts & { readonly decisions: number }>(
  title: string,
  all: readonly T[],
  nameOf: (row: T) => string,
): string {
  const changed = all.filter((row) => outcomes.some((outcome) => row[outcome] > 0))
  const used = outcomes.filter((outcome) => changed.some((row) => row[outcome] > 0))
  if (changed.length === 0) return ''
  const rows = changed
    .slice(0, rowsMax)
    .map((row) => [code(nameOf(row) || '-'), row.decisions, ...used.map((outcome) => row[outcome] || '')])
  return table([title, 'decisions', ...used.map((outcome) => outcomeWords[outcome])], rows) + more(changed.length)
}

function ruleTable({ by_rule: rules }: ReplayReport): string {
  if (rules.length === 0) return ''
  const rows = rules.slice(0, rowsMax).map((row) => {
    const example = row.examples[0]
    return [
      outcomeWords[row.outcome],
      row.decisions,
      code(decidedText(row.before)),
      row.after ? code(decidedText(row.after)) : afterText(row),
      example ? exampleText(example) : '',
    ]
  })
  return table(['change', 'decisions', 'before', 'after', 'for example'], rows) + more(rules.length)
}

function exampleText(example: Example): string {
  return `${code(`${example.name} ${argumentsText(example, argumentsCharsMax)}`)} (${code(example.decision_id)})`
}

function more(count: number): string {
  return count > rowsMax ? `\n\nand ${count - rowsMax} more` : ''
}

function table(columns: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const lines = [columns, columns.map(() => '---'), ...rows]
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

/** A code span, inside a table too: longer fences than the text has, and no bar that ends the cell. */
function code(text: string): string {
  const shown = plain(text).replaceAll('|', '\\|')
  const longest = Math.max(0, ...[...shown.matchAll(/`+/g)].map(([run]) => run.length))
  const fence = '`'.repeat(longest + 1)
  return longest === 0 ? `${fence}${shown}${fence}` : `${fence} ${shown} ${fence}`
}
