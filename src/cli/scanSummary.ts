/** What a scan found, and what to do next: for the person at the terminal. */

import { plain } from '../model/message/plain.ts'
import { counted } from '../scan/comments.ts'
import { groupsInOrder, type Scan } from '../scan/definition.ts'
import { groupTerms } from '../scan/entries.ts'
import type { StartingPolicy } from '../scan/policy.ts'
import { shellWords } from '../scan/shell.ts'
import { called } from '../scan/visible.ts'
import { paint } from './terminal.ts'

/** More of them scroll away what matters; the policy has them all as comments. */
const warningsMax = 20

export function summary(scan: Scan, { counts, warnings }: StartingPolicy): string {
  const { name } = scan.server
  const groups = groupsInOrder.filter((group) => counts[group] > 0)
  const rows = groups.map((group) => {
    const { title, outcome } = groupTerms[group]
    return `  ${String(counts[group]).padStart(4)}  ${title.padEnd(30)}  ${outcome}`
  })
  const who = name === undefined ? 'The server' : called(name)
  return [
    `${who} lists ${counted(scan.tools.length, 'tool')}${rows.length > 0 ? ':' : '.'}`,
    ...rows,
    ...warnings.slice(0, warningsMax).map((warning) => `${paint('yellow', 'warning:', process.stderr)} ${warning}`),
    ...(warnings.length > warningsMax ? [`${warnings.length - warningsMax} more warnings: see \`--json\``] : []),
  ].join('\n')
}

export interface Next {
  readonly command: readonly string[]
  readonly file: string | undefined
  readonly server: string | undefined
}

export function nextSteps({ command, file, server }: Next): string {
  const policy = file ?? 'policy.yaml'
  const named = server === undefined ? [] : ['--server', server]
  const lines = [
    `Next: ${file === undefined ? `write it to a file (\`-o ${policy}\`)` : `read \`${plain(file)}\``}, change what does not fit, then`,
    `  ${plain(shellWords(['tollgate', 'check', policy]))}`,
    `  ${plain(shellWords(['tollgate', 'run', '-c', policy, ...named, '--', ...command]))}`,
  ]
  return `${lines.join('\n')}\n`
}
