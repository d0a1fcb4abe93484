/** What `tollgate init` found and did, for people and as JSON. No value of a configuration is in it. */
import { clientTitles, type Place } from '../init/clients.ts'
import { plain } from '../model/message/plain.ts'
import { counted } from '../scan/comments.ts'
import type { Group } from '../scan/definition.ts'
import { type Colour, paint } from './terminal.ts'

export type Status =
  | 'wrapped'
  | 'would_wrap'
  | 'unwrapped'
  | 'would_unwrap'
  | 'already_wrapped'
  | 'not_wrapped'
  | 'remote'
  | 'disabled'
  | 'not_chosen'
  | 'failed'

export interface ServerReport {
  readonly server: string
  readonly project?: string
  readonly status: Status
  /** Of what failed. */
  readonly code?: string
  readonly message?: string
  readonly policy?: string
  readonly tools?: Readonly<Record<Group, number>>
  /** What its operator should know of what it lists. */
  readonly warnings?: readonly string[]
}

export interface FileReport {
  readonly client: Place['client']
  readonly file: string
  /** The folder that the file is for. */
  readonly project?: string
  readonly servers: readonly ServerReport[]
  /** Why nothing could be done with the file. */
  readonly code?: string
  readonly message?: string
  readonly backup?: string
  readonly diff?: string
}

const colours: Readonly<Record<Status, Colour>> = {
  wrapped: 'green',
  would_wrap: 'cyan',
  unwrapped: 'green',
  would_unwrap: 'cyan',
  already_wrapped: 'dim',
  not_wrapped: 'yellow',
  remote: 'yellow',
  disabled: 'dim',
  not_chosen: 'dim',
  failed: 'red',
}

export function failed(reports: readonly FileReport[]): boolean {
  return reports.some(({ code, servers }) => code !== undefined || servers.some(({ status }) => status === 'failed'))
}

export function reportText(reports: readonly FileReport[]): string {
  return reports.map(fileText).join('\n')
}

function fileText({ client, file, servers, message, code, backup, diff }: FileReport): string {
  const wide = Math.max(0, ...servers.map(({ server }) => Math.min(plain(server).length, 30)))
  const lines = [
    `${paint('bold', clientTitles[client], process.stdout)}  ${plain(file)}`,
    ...(message === undefined ? [] : [row('failed', 'failed', `${plain(message)} (${code})`)]),
    ...servers.flatMap((one) => serverLines(one, wide)),
    ...(backup === undefined ? [] : [row('backup', 'disabled', plain(backup))]),
    ...(diff === undefined ? [] : ['', ...diff.trimEnd().split('\n').map(diffLine), '']),
  ]
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`
}

/** More of them scroll away what matters; the policy has them all as comments. */
const warningsMax = 5

function serverLines(one: ServerReport, wide: number): readonly string[] {
  const { status, server, warnings = [] } = one
  const more = warnings.length - warningsMax
  return [
    row(status.replaceAll('_', ' '), status, `${plain(server).padEnd(wide)}  ${about(one)}`),
    ...warnings.slice(0, warningsMax).map((warning) => row('  warning', 'remote', plain(warning))),
    ...(more > 0 ? [row('  warning', 'remote', `${more} more: see the policy`)] : []),
  ]
}

function row(word: string, status: Status, text: string): string {
  return `  ${paint(colours[status], word.padEnd(16), process.stdout)}${text}`
}

function about({ message, code, policy, tools, project }: ServerReport): string {
  const parts = [
    ...(project === undefined ? [] : [`in ${plain(project)}`]),
    ...(message === undefined ? [] : [`${plain(message)}${code === undefined ? '' : ` (${code})`}`]),
    ...(tools === undefined ? [] : [countsText(tools)]),
    ...(policy === undefined ? [] : [`policy ${plain(policy)}`]),
  ]
  return parts.join('; ')
}

function countsText({ read, write, destructive, unstated }: Readonly<Record<Group, number>>): string {
  const held = destructive + unstated
  return `${counted(read + write + held, 'tool')}, ${held} held for approval`
}

function diffLine(line: string): string {
  const text = line.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (char) => (char === '\t' ? char : plain(char)))
  const [sign] = line
  if (/^(---|\+\+\+) /.test(line)) return paint('bold', text, process.stdout)
  if (sign === '+') return paint('green', text, process.stdout)
  return sign === '-' ? paint('red', text, process.stdout) : text
}
