/** The tools of a server, each name once, with the key that lists it or the reason why it has none. */
import { groupsInOrder, readTool, type Tool } from './definition.ts'
import { toolKey } from './keys.ts'

export interface ListedTool {
  readonly tool: Tool
  readonly key: string
  /** How often the server lists the name. */
  readonly times: number
}

/** What the policy does not list, so that it is denied. */
export interface LeftOut {
  readonly name: string
  readonly why: string
}

export interface ToolList {
  readonly listed: readonly ListedTool[]
  readonly leftOut: readonly LeftOut[]
  /** How many have no name at all. */
  readonly nameless: number
}

export function listTools(items: readonly unknown[], server?: string): ToolList {
  const read = items.flatMap((item) => readTool(item) ?? [])
  const listed: ListedTool[] = []
  const leftOut: LeftOut[] = []
  for (const { tool, times } of eachOnce(read)) {
    const found = toolKey(tool.name, server)
    if (found.key === undefined) leftOut.push({ name: tool.name, why: found.why })
    else listed.push({ tool, times, key: found.key })
  }
  return { listed, leftOut, nameless: items.length - read.length }
}

/** A name that is listed twice may be either: the more careful group counts, and what hides in any of them is told. */
function eachOnce(tools: readonly Tool[]): readonly Omit<ListedTool, 'key'>[] {
  return [...Map.groupBy(tools, ({ name }) => name).values()].map((same) => {
    const careful = groupsInOrder.findLast((group) => same.some((tool) => tool.group === group))
    const tool = same.find(({ group }) => group === careful) as Tool
    return { tool: { ...tool, hidden: same.flatMap(({ hidden }) => hidden) }, times: same.length }
  })
}
