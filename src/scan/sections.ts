/** The parts of the policy below its head: tools by group, and suggestions for resources and prompts. */
import { comment, counted, heading, indented } from './comments.ts'
import { type Group, groupsInOrder, readPrompt, readResource, type Scan } from './definition.ts'
import { bareToolLines, groupTerms, promptLines, resourceLines, toolLines } from './entries.ts'
import { type Hidden, hiddenSentence } from './hidden.ts'
import { type Key, promptKey, resourceKey, templateKey } from './keys.ts'
import { bareBytesMax, describedBytesMax } from './limits.ts'
import { Room } from './room.ts'
import type { LeftOut, ListedTool, ToolList } from './tools.ts'
import { called } from './visible.ts'

export interface Section {
  readonly lines: readonly string[]
  readonly warnings: readonly string[]
}

export interface ToolSection extends Section {
  /** Tools with an entry. */
  readonly counts: Readonly<Record<Group, number>>
}

/** `aside` is the room for what is only a comment. */
export function toolSection({ listed, leftOut, nameless }: ToolList, aside: Room): ToolSection {
  const rooms = { described: new Room(describedBytesMax), bare: new Room(bareBytesMax) }
  const entries = listed.map((one) => ({ group: one.tool.group, name: one.tool.name, lines: entryLines(one, rooms) }))
  const tooMany = entries.flatMap(({ name, lines }) => (lines ? [] : [{ name, why: 'the policy would be too long' }]))
  const groups = groupsInOrder.flatMap((group) =>
    groupLines(
      group,
      entries.flatMap((entry) => (entry.group === group && entry.lines ? [entry.lines] : [])),
    ),
  )
  const out = [...leftOut, ...tooMany]
  const hidden = listed.flatMap(({ tool }) => hiddenWarnings('tool', tool.name, tool.hidden))
  return {
    lines: [
      ...(groups.length === 0 ? ['tools: {}'] : ['tools:', ...indented([...groups, ...everyTool], '  ')]),
      ...indented(leftOutLines(out, aside), '  '),
    ],
    warnings: [...hidden, ...listed.flatMap(twiceWarnings), ...outWarnings(out), ...namelessWarnings(nameless)],
    counts: countsOf(entries.flatMap(({ group, lines }) => (lines ? [group] : []))),
  }
}

function countsOf(groups: readonly Group[]): Readonly<Record<Group, number>> {
  const counts = { read: 0, write: 0, destructive: 0, unstated: 0 }
  for (const group of groups) counts[group]++
  return counts
}

/** Undefined when there is no room left for the tool, not even for its bare entry. */
function entryLines(
  { tool, key, times }: ListedTool,
  rooms: { readonly described: Room; readonly bare: Room },
): readonly string[] | undefined {
  const described = toolLines(tool, key, times)
  if (rooms.described.take(described)) return described
  const bare = bareToolLines(tool, key)
  return rooms.bare.take(bare) ? bare : undefined
}

function groupLines(group: Group, entries: readonly (readonly string[])[]): readonly string[] {
  if (entries.length === 0) return []
  const { title, about } = groupTerms[group]
  const head = [heading(`${title}: ${counted(entries.length, 'tool')}`), ...comment(about)]
  return [...head, ...entries.flatMap((lines) => ['', ...lines]), '']
}

const everyTool: readonly string[] = [
  '# A limit on all tools together:',
  '# "*":',
  '#   rules:',
  '#     - rate_limit: 600/hour',
]

function leftOutLines(out: readonly LeftOut[], aside: Room): readonly string[] {
  if (out.length === 0) return []
  const head = heading(`Left out: ${counted(out.length, 'tool')}`)
  const fitting = out.map(leftOutLine).filter((lines) => aside.take(lines))
  const more = moreLines(out.length - fitting.length)
  return ['', head, '# No entry lists these, so they are denied.', ...fitting.flat(), ...more]
}

function moreLines(count: number): readonly string[] {
  return count === 0 ? [] : [`# (${count} more: \`tollgate scan --json\` shows them)`]
}

function leftOutLine({ name, why }: LeftOut): readonly string[] {
  return comment(`- ${called(name)}: ${why}.`, { hang: '  ' })
}

/** Resources and prompts are off as they stand: comments that become entries when somebody wants them. */
export function resourceSection({ resources, resourceTemplates }: Scan, aside: Room, server?: string): Section {
  const listed = resources.flatMap((item) => readResource(item, 'uri') ?? [])
  const templates = resourceTemplates.flatMap((item) => readResource(item, 'uriTemplate') ?? [])
  const blocks = [
    ...listed.map((one) => suggested(one.uri, resourceKey(one.uri), (key) => resourceLines(one, key))),
    ...templates.map((one) => suggested(one.uri, templateKey(one.uri), (key) => resourceLines(one, key))),
  ]
  const hidden = [...listed, ...templates].flatMap(({ uri, hidden }) => hiddenWarnings('resource', uri, hidden))
  return { lines: suggestionLines('resources', blocks, aside, server), warnings: hidden }
}

export function promptSection(items: readonly unknown[], aside: Room, server?: string): Section {
  const prompts = items.flatMap((item) => readPrompt(item) ?? [])
  const blocks = prompts.map((one) => suggested(one.name, promptKey(one.name), (key) => promptLines(one, key)))
  const hidden = prompts.flatMap(({ name, hidden }) => hiddenWarnings('prompt', name, hidden))
  return { lines: suggestionLines('prompts', blocks, aside, server), warnings: hidden }
}

interface Suggested {
  /** Absent: it can have none. */
  readonly key?: string
  readonly lines: readonly string[]
}

function suggested(name: string, found: Key, lines: (key: string) => readonly string[]): Suggested {
  if (found.key === undefined) return { lines: comment(`${called(name)} can have no entry: ${found.why}.`) }
  return { key: found.key, lines: lines(found.key) }
}

function suggestionLines(
  what: 'resources' | 'prompts',
  items: readonly Suggested[],
  aside: Room,
  server: string | undefined,
): readonly string[] {
  const seen = new Set<string>()
  const once = items.filter(({ key }) => key === undefined || (!seen.has(key) && seen.add(key)))
  if (once.length === 0) return []
  const fitting = once.filter(({ lines }) => aside.take(lines))
  const lines = [...fitting.flatMap((item) => item.lines), ...moreLines(once.length - fitting.length)]
  const head = ['', heading(`${what === 'prompts' ? 'Prompts' : 'Resources'}: ${once.length}`)]
  if (fitting.every(({ key }) => key === undefined)) return [...head, '# Denied.', ...lines]
  const how = `Denied as they stand. To allow some, take the first \`# \` off \`${what}:\` and off the lines below it.`
  const whose = `Their keys name no server: these hold for every server of this policy, not for ${called(server ?? '')} alone.`
  return [
    ...head,
    ...comment(how),
    ...(server === undefined ? [] : comment(whose)),
    `# ${what}:`,
    ...indented(lines, '#   '),
  ]
}

function hiddenWarnings(what: string, name: string, hidden: readonly Hidden[]): readonly string[] {
  return hidden.map((one) => `${what} ${called(name)}: text that is not seen: ${hiddenSentence(one)}`)
}

function twiceWarnings({ tool, times }: ListedTool): readonly string[] {
  return times === 1 ? [] : [`tool ${called(tool.name)} is listed ${times} times: the most careful reading counts`]
}

function outWarnings(out: readonly LeftOut[]): readonly string[] {
  return out.map(({ name, why }) => `tool ${called(name)} is left out, so denied: ${why}`)
}

function namelessWarnings(nameless: number): readonly string[] {
  return nameless === 0 ? [] : [`${counted(nameless, 'tool')} without a name left out`]
}
