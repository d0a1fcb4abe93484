/** From the lists of a server to the text of a policy to start from: nothing is allowed that no hint speaks for. */
import { comment, counted } from './comments.ts'
import type { Group, Scan } from './definition.ts'
import { hiddenIn, hiddenSentence } from './hidden.ts'
import { asideBytesMax } from './limits.ts'
import { Room } from './room.ts'
import { promptSection, resourceSection, type Section, toolSection } from './sections.ts'
import { shellWords } from './shell.ts'
import { listTools } from './tools.ts'
import { called, oneLine } from './visible.ts'

export interface PolicyOptions {
  /** What policies call the server; the entries are then for this server alone. */
  readonly server?: string
  /** The day of the scan, for the header. */
  readonly date?: string
}

export interface StartingPolicy {
  readonly text: string
  /** Tools that are listed, by group. */
  readonly counts: Readonly<Record<Group, number>>
  /** Sentences for the operator: what hides, what was left out, what was not read. */
  readonly warnings: readonly string[]
}

export function startingPolicy(scan: Scan, options: PolicyOptions = {}): StartingPolicy {
  const aside = new Room(asideBytesMax)
  const tools = toolSection(listTools(scan.tools, options.server), aside)
  const sections: readonly Section[] = [
    tools,
    resourceSection(scan, aside, options.server),
    promptSection(scan.prompts, aside, options.server),
  ]
  const lines = [
    ...headerLines(scan, options),
    'version: "1"',
    '# What no entry lists is denied.',
    'default: deny',
    '',
    ...sections.flatMap((section) => section.lines),
  ]
  return {
    text: `${lines.join('\n')}\n`,
    counts: tools.counts,
    warnings: [...scan.unfinished, ...serverWarnings(scan), ...sections.flatMap(({ warnings }) => warnings)],
  }
}

function headerLines(scan: Scan, { server, date }: PolicyOptions): readonly string[] {
  const { name, version } = scan.server
  const who = name === undefined ? 'an MCP server that does not give its name' : `${called(name)}, as it calls itself`
  const its = version === undefined ? '' : `, version ${called(version)}`
  const day = date === undefined ? '' : ` on ${date}`
  const named = server === undefined ? '' : `--server ${oneLine(shellWords([server]))} `
  return [
    ...comment(`A policy to start from for ${who}${its}. Made by \`tollgate scan\`${day}.`),
    ...comment(`The server lists ${listed(scan)}.`),
    ...scan.unfinished.flatMap((sentence) => comment(`WARNING: ${sentence}.`)),
    '#',
    ...comment(
      'Names, descriptions and hints are words of the server. Nobody has checked them: a tool that calls itself ' +
        'read-only may not be. Read each entry before you rely on it.',
    ),
    '#',
    '# To go on:',
    '#   1. Give each tool what it needs: allow it (`rules: []`), limit it, hold it for a person, or delete its entry,',
    '#      which denies it. What stands under its rules as a comment is what its parameters call for: a budget for',
    '#      an amount, one folder for a path (the pattern refuses `..`, which would lead out of it).',
    '#   2. tollgate check FILE',
    `#   3. tollgate run -c FILE ${named}-- CMD [ARG...]`,
    '',
  ]
}

function listed({ tools, resources, resourceTemplates, prompts }: Scan): string {
  const lists: readonly (readonly [readonly unknown[], string])[] = [
    [tools, 'tool'],
    [resources, 'resource'],
    [resourceTemplates, 'resource template'],
    [prompts, 'prompt'],
  ]
  return lists.map(([items, what]) => counted(items.length, what)).join(', ')
}

function serverWarnings({ server }: Scan): readonly string[] {
  return hiddenIn(server).map(
    (one) => `text that is not seen in what the server says of itself: ${hiddenSentence(one)}`,
  )
}
