/** Definitions of tools for people. They come from servers: nothing of them reaches the terminal but as visible text. */
import { diffLines } from 'diff'
import type { ToolState, ToolView } from '../log/tools.ts'
import { plain } from '../model/message/plain.ts'
import { instructionsName } from '../model/pinning.ts'
import type { AcceptedTool } from '../pep/tools.ts'
import { hiddenIn, hiddenSentence } from '../scan/hidden.ts'
import { escaped } from '../scan/json.ts'
import { called, oneLine, visible } from '../scan/visible.ts'
import { type Column, tableLines } from './table.ts'
import { type Colour, paint } from './terminal.ts'
import type { MemberChange, ToolDifference } from './toolsDiff.ts'

const columns: readonly Column<ToolView>[] = [
  { title: 'SERVER', least: 6, cell: ({ server }) => shown(server) },
  { title: 'TOOL', least: 12, cell: ({ tool }) => (tool === instructionsName ? '(instructions)' : shown(tool)) },
  { title: 'STATE', least: 7, cell: ({ state }) => state, colour: (state) => colours[state as ToolState] },
  { title: 'SINCE', least: 20, leaveOut: 1, cell: ({ since }) => since.replace(/\.\d+Z$/, 'Z') },
  { title: 'SHA256', least: 12, leaveOut: 2, cell: ({ pinned, held }) => digestsOf([...pinned, ...held]) },
  { title: 'HIDDEN TEXT', least: 11, leaveOut: 3, cell: hiddenOf },
]

const colours: Readonly<Record<ToolState, Colour>> = { pinned: 'green', changed: 'red', new: 'yellow' }

export function titleOf(tool: string): string {
  return tool === instructionsName ? 'the instructions' : called(tool)
}

function shown(name: string): string {
  return visible(plain(name))
}

const digestShown = 12

function digestsOf(definitions: ToolView['held']): string {
  return definitions.map(({ sha256 }) => sha256.slice(0, digestShown)).join(' ')
}

function hiddenOf({ pinned, held }: ToolView): string {
  const kinds = [...pinned, ...held].flatMap(({ definition }) => hiddenIn(definition).map(({ kind }) => kind))
  return [...new Set(kinds)].join(' ')
}

export function toolLines(views: readonly ToolView[], width: number, stream: NodeJS.WriteStream): Generator<string> {
  return tableLines(columns, views, width, stream)
}

export function differencesText(differences: readonly ToolDifference[], stream: NodeJS.WriteStream): string {
  return differences.map((one) => differenceText(one, stream)).join('\n')
}

function differenceText(difference: ToolDifference, stream: NodeJS.WriteStream): string {
  const { server, tool, state, sha256, pinned_sha256, unkept, changes, hidden_text } = difference
  const whose = server === '' ? '' : ` of ${called(server)}`
  const than = pinned_sha256 === null ? '' : `, accepted is ${pinned_sha256.slice(0, digestShown)}`
  const head = `${titleOf(tool)}${whose}: ${state}, ${sha256.slice(0, digestShown)}${than}`
  const lines = [
    paint('bold', head, stream),
    ...(unkept ? ['  (a definition was too large to be kept: there is no comparing)'] : []),
    ...hidden_text.map((one) => `  ${paint('yellow', 'warning:', stream)} ${hiddenSentence(one)}`),
    ...changes.flatMap((change) => changeLines(change, stream)),
  ]
  return `${lines.join('\n')}\n`
}

function changeLines({ path, ...change }: MemberChange, stream: NodeJS.WriteStream): readonly string[] {
  const [before, after] = [change.before, change.after].map(linesOf)
  const parts = diffLines(before as string, after as string)
  return [
    `  ${oneLine(path)}`,
    ...parts.flatMap(({ value, added, removed }) => {
      const sign = added ? '+' : removed ? '-' : ' '
      const lines = value.replace(/\n$/, '').split('\n')
      return lines.map((line) =>
        painted(`    ${sign} ${visible(line).replaceAll('\r', '\\r')}`.trimEnd(), sign, stream),
      )
    }),
  ]
}

function painted(line: string, sign: string, stream: NodeJS.WriteStream): string {
  if (sign === ' ') return line
  return paint(sign === '+' ? 'green' : 'red', line, stream)
}

/** A text line by line as it is, anything else as JSON. */
function linesOf(value: unknown): string {
  if (value === undefined) return ''
  return `${typeof value === 'string' ? value : JSON.stringify(value, null, 2)}\n`
}

export function acceptedText(accepted: readonly AcceptedTool[]): string {
  return accepted
    .map(({ tool, sha256, held }) => {
      const left = held.length === 0 ? '' : `; ${held.length} more of it held back`
      return `accepted ${titleOf(tool)} (${sha256.slice(0, digestShown)})${left}\n`
    })
    .join('')
}

/** It goes to terminals too: what cannot be seen is escaped, which changes no value. */
export function escapedJson(value: unknown): string {
  return `${escaped(JSON.stringify(value, null, 2))}\n`
}
