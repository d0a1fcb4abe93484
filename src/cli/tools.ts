/** `tollgate tools`: what servers say of their tools, what of it is held back, and who accepts it. */
import { randomUUID } from 'node:crypto'
import { openLedger, type SqliteLedger } from '../ledger/ledger.ts'
import { describeWith } from '../log/describe.ts'
import { type ToolView, toolView } from '../log/tools.ts'
import { TollgateError } from '../model/errors.ts'
import { instructionsName } from '../model/pinning.ts'
import { Tools } from '../pep/tools.ts'
import { nearest } from '../policy/spelling.ts'
import { version } from '../runtime/version.ts'
import { called } from '../scan/visible.ts'
import { existingLedger } from './auditLedger.ts'
import { exitCodes, UsageError } from './exit.ts'
import { personOf } from './person.ts'
import { toolDifferences } from './toolsDiff.ts'
import { acceptedText, differencesText, escapedJson, toolLines } from './toolsText.ts'

export interface ToolsOptions {
  readonly server?: string
  readonly ledger?: string
  readonly json?: boolean
}

export interface ToolsAcceptOptions extends ToolsOptions {
  readonly all?: boolean
  readonly instructions?: boolean
  readonly digest?: string
  readonly also?: boolean
  readonly reason?: string
  readonly as?: string
}

export function toolsList(options: ToolsOptions): void {
  const views = viewsIn(options)
  if (options.json) {
    print(views)
    return
  }
  const width = process.stdout.columns ?? Number.POSITIVE_INFINITY
  for (const line of toolLines(views, width, process.stdout)) process.stdout.write(line)
  if (views.length === 0) process.stderr.write('no list of tools was seen by a gate that pins them\n')
}

/** Ends with 1 where something is held back, so that a script need not read it. */
export function toolsDiff(names: readonly string[], options: ToolsOptions): void {
  const views = viewsIn(options)
  requireKnown(names, views)
  const asked = views.filter(({ tool }) => names.length === 0 || names.includes(tool))
  const differences = asked.flatMap(toolDifferences)
  if (options.json) print(differences)
  else if (differences.length > 0) process.stdout.write(differencesText(differences, process.stdout))
  else process.stderr.write('nothing is held back\n')
  if (differences.length > 0) process.exitCode = exitCodes.wrong
}

export function toolsAccept(named: readonly string[], options: ToolsAcceptOptions): void {
  const { all = false, instructions = false, digest, also = false } = options
  const names = instructions ? [...named, instructionsName] : named
  if (all === names.length > 0)
    throw new UsageError('name the tools to accept, or the `--instructions`, or all that is held back with `--all`')
  if (digest !== undefined && names.length !== 1)
    throw new UsageError('`--digest` says which definition of one tool is accepted: name that tool, and no other')
  if (digest !== undefined && !/^[0-9a-f]{8,64}$/.test(digest))
    throw new UsageError('`--digest` must be 8 to 64 digits of a digest, as `tools diff` shows them')
  const ledger = openLedger({ file: existingLedger(options.ledger) })
  try {
    const views = readViews(ledger, options.server)
    requireKnown(names, views)
    const server = serverOf(views, options.server)
    const held = views.filter((view) => view.held.length > 0)
    const tools = all ? held.map(({ tool }) => tool) : names
    const describe = describeWith({ id: randomUUID(), version }, 'full')
    const wish = { server, tools, also, ...(digest !== undefined && { digest }) }
    const said = { by: personOf(options.as), ...(options.reason !== undefined && { reason: options.reason }) }
    const accepted = new Tools({ ledger, describe }).accept(wish, said)
    if (options.json) print(accepted)
    else if (accepted.length > 0) process.stdout.write(acceptedText(accepted))
    else process.stderr.write('nothing is held back\n')
  } finally {
    ledger.close()
  }
}

function viewsIn({ ledger: file, server }: ToolsOptions): readonly ToolView[] {
  const ledger = openLedger({ file: existingLedger(file), readOnly: true })
  try {
    return readViews(ledger, server)
  } finally {
    ledger.close()
  }
}

function readViews(ledger: SqliteLedger, server: string | undefined): readonly ToolView[] {
  const known = ledger.tools()
  const servers = [...new Set(known.map((one) => one.server))]
  if (server !== undefined && !servers.includes(server))
    throw new TollgateError('tool_unknown', `no server ${called(server)} has shown its tools${meant(server, servers)}`)
  return known
    .filter((one) => server === undefined || one.server === server)
    .map((one) => toolView(one, (sha256) => ledger.toolDefinition(sha256)))
}

/** A name that is misspelt would look as if nothing of it were held back. */
function requireKnown(names: readonly string[], views: readonly ToolView[]): void {
  const known = [...new Set(views.map(({ tool }) => tool))]
  for (const name of names)
    if (!known.includes(name))
      throw new TollgateError(
        'tool_unknown',
        name === instructionsName
          ? 'no server has shown instructions'
          : `no list has shown the tool ${called(name)}${meant(name, known)}`,
      )
}

function meant(name: string, known: readonly string[]): string {
  const near = nearest(name, known)
  return near === undefined ? '' : `; did you mean ${called(near)}?`
}

function serverOf(views: readonly ToolView[], server: string | undefined): string {
  if (server !== undefined) return server
  const servers = [...new Set(views.map((view) => view.server))]
  if (servers.length > 1)
    throw new UsageError(`say whose tools they are with \`--server\`: ${servers.map(called).join(', ')}`)
  return servers[0] ?? ''
}

function print(value: unknown): void {
  process.stdout.write(escapedJson(value))
}
