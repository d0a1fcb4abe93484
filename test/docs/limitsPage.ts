/** `docs/limits.md`, made from the sources. Run it to write the page anew. */
import { writeFileSync } from 'node:fs'
import { sources } from './codes.ts'
import { root } from './tables.ts'

export interface Limit {
  readonly name: string
  readonly value: number
  readonly reason: string
}

const titles: Readonly<Record<string, string>> = {
  'src/model/limits.ts': 'Calls, records and policies',
  'src/mcp/limits.ts': 'The wire',
  'src/http/limits.ts': 'HTTP',
  'src/identity/limits.ts': 'Who calls',
  'src/admission/limits.ts': 'The admission API and the page of approvals',
  'src/policy/limits.ts': 'The policy languages',
  'src/model/pack/limits.ts': 'Runs of workflows',
  'src/compile/limits.ts': 'The compiler',
  'src/opa/limits.ts': 'Bundles',
  'src/distribution/limits.ts': 'Where bundles come from',
  'src/scan/limits.ts': 'The scan of a server',
  'src/init/limits.ts': 'Configurations of clients',
  'src/testing/limits.ts': 'Tests of policies',
  'src/replay/limits.ts': 'Replay',
}

const introduction = `# Limits

There is a limit beside everything that can grow. None of them can be set: a gate whose limits are the same everywhere decides the same everywhere. What is over a limit is refused, never cut and judged in part.

Each table is one file of the sources, and this page is held against them by a test.
`

/** Throws for a file of limits that has no title here. */
export async function limitsPage(): Promise<string> {
  const files = sources('src/**/limits.ts')
  const order = Object.keys(titles)
  const known = files.toSorted((a, b) => order.indexOf(a.path) - order.indexOf(b.path))
  const sections = known.map(async ({ path, text }) => {
    const title = titles[path]
    if (title === undefined) throw new Error(`name a title for ${path}`)
    const values = (await import(new URL(path, root).href)) as Readonly<Record<string, unknown>>
    return sectionText(title, path, limitsIn(text, values))
  })
  return [introduction, ...(await Promise.all(sections))].join('\n')
}

function sectionText(title: string, path: string, limits: readonly Limit[]): string {
  const rows = limits.map(({ name, value, reason }) => `| \`${name}\` | ${valueText(name, value)} | ${reason} |\n`)
  return `## ${title}\n\n\`${path}\`\n\n| name | value | reason |\n| --- | --- | --- |\n${rows.join('')}`
}

/** Every exported number with the comment above it; one that has none shares that of its neighbour. */
export function limitsIn(text: string, values: Readonly<Record<string, unknown>>): readonly Limit[] {
  const limits: Limit[] = []
  const pattern = /(?:\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\n)?export const (\w+)/g
  for (const [, comment, name = ''] of text.matchAll(pattern)) {
    const value = values[name]
    const reason = comment === undefined ? limits.at(-1)?.reason : comment.replace(/\s*\n?\s*\*?\s+/g, ' ').trim()
    if (typeof value !== 'number' || !reason) throw new Error(`\`${name}\` is no number with a reason`)
    limits.push({ name, value, reason: reason.replaceAll('|', '\\|') })
  }
  const missing = Object.keys(values).filter((name) => !limits.some((limit) => limit.name === name))
  if (missing.length > 0) throw new Error(`not found in the text: ${missing.join(', ')}`)
  return limits
}

/** What a number counts, by a word of its name. The first that fits. */
const units: readonly (readonly [RegExp, string | ((value: number) => string)])[] = [
  [/Bytes/, bytesText],
  [/Ms/, durationText],
  [/Mb/, 'MB'],
  [/Chars/, 'characters'],
  [/Depth/, 'levels'],
  [/Cost/, 'character ranges'],
  [/^micro/, 'micro-units'],
  [/^(?:inFlight|cancelled)/, 'requests'],
  [/^diagnostics/, 'mistakes'],
  [/^approvalsPending/, 'requests'],
  [/Quorum/, 'persons'],
  [/^keptOpen/, 'calls'],
  [/^legsMax/, 'legs'],
  [/^plans/, 'plans'],
  [/^visible/, 'targets'],
  [/Uris/, 'resources'],
  [/^layers/, 'layers'],
  [/Keys/, 'keys'],
  [/Rules/, 'rules'],
  [/Pages/, 'pages'],
  [/Tokens/, 'tokens'],
  [/Patterns/, 'patterns'],
  [/Items/, 'items'],
  [/Entries/, 'entries'],
  [/Bits/, 'bits'],
  [/Paths/, 'paths'],
  [/^stars/, 'stars'],
  [/Choices/, 'alternatives'],
  [/^parameters/, 'parameters'],
  [/[vV]alues/, 'values'],
  [/^backups/, 'backups'],
  [/Counters/, 'counters'],
  [/^connections/, 'connections'],
  [/^groups/, 'groups'],
  [/^tokens/, 'tokens'],
  [/^reasons/, 'reasons'],
  [/^sessions/, 'sessions'],
  [/Streams/, 'streams'],
  [/^exchanges/, 'requests'],
  [/Connections/, 'connections'],
  [/^signIns/, 'persons'],
  [/^adminRequests/, 'requests'],
  [/^reservations/, 'calls'],
  [/^runExpiry/, (value) => durationText(value * 1_000)],
  [/^runsMax/, 'runs'],
  [/Messages/, 'messages'],
  [/^tools/, 'tools'],
  [/^heldDefinitions/, 'definitions'],
  [/^hiddenPlaces/, 'places'],
  [/Rows/, 'rows'],
  [/CodePoints/, 'characters'],
  [/Parameters/, 'parameters'],
  [/^judged/, 'calls'],
  [/^redirects/, 'redirects'],
  [/Files/, 'files'],
  [/^(?:bundles|servedBundles)/, 'bundles'],
  [/^processes/, 'processes'],
  [/^retryAfter/, 's'],
  [/Files/, 'files'],
  [/^folders/, 'folders'],
  [/^times/, 'times'],
]

export function valueText(name: string, value: number): string {
  const unit = units.find(([pattern]) => pattern.test(name))?.[1]
  if (unit === undefined) throw new Error(`\`${name}\` does not say what it counts`)
  return typeof unit === 'string' ? `${grouped(value)} ${unit}` : unit(value)
}

function bytesText(value: number): string {
  return stepText(value, [
    [1024 ** 2, 'MiB'],
    [1024, 'KiB'],
    [1, 'bytes'],
  ])
}

function durationText(value: number): string {
  return stepText(value, [
    [86_400_000, 'days'],
    [60_000, 'min'],
    [1_000, 's'],
    [1, 'ms'],
  ])
}

/** In the largest unit that gives at most one decimal. */
function stepText(value: number, steps: readonly (readonly [number, string])[]): string {
  const [size, unit] = steps.find(([size]) => value >= size && Number.isInteger((value * 10) / size)) ?? [1, '']
  return `${grouped(value / size)} ${unit}`
}

function grouped(value: number): string {
  return value.toLocaleString('en-US')
}

if (import.meta.main) writeFileSync(new URL('docs/limits.md', root), await limitsPage())
