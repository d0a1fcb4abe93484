/** What a server lists, as types: every field is optional and of a type of its own until it is read here. */
import { field, flagOf, listOf, textOf } from './fields.ts'
import { type Hidden, hiddenIn } from './hidden.ts'
import { type Parameters, parametersOf, promptParametersOf } from './parameters.ts'

/** The lists of a server as it sent them, item by item. */
export interface Scan {
  readonly server: ServerNames
  readonly tools: readonly unknown[]
  readonly resources: readonly unknown[]
  readonly resourceTemplates: readonly unknown[]
  readonly prompts: readonly unknown[]
  /** Sentences on lists that were not read to their end. */
  readonly unfinished: readonly string[]
}

/** What the server says of itself. */
export interface ServerNames {
  readonly name?: string
  readonly version?: string
  readonly protocolVersion?: string
  readonly instructions?: string
}

/** What the hints of a tool make of it. `unstated`: it has none, and counts as destructive. */
export type Group = 'read' | 'write' | 'destructive' | 'unstated'

/** From the least to the most careful. */
export const groupsInOrder: readonly Group[] = ['read', 'write', 'destructive', 'unstated']

export interface Tool {
  readonly name: string
  readonly about: string
  readonly group: Group
  readonly openWorldHint?: boolean
  readonly parameters: Parameters
  /** What hides in its text. */
  readonly hidden: readonly Hidden[]
}

export interface Resource {
  /** Its URI, or the template of it. */
  readonly uri: string
  readonly about: string
  readonly hidden: readonly Hidden[]
}

export interface Prompt {
  readonly name: string
  readonly about: string
  readonly parameters: Parameters
  readonly hidden: readonly Hidden[]
}

/** Undefined for what has no name. */
export function readTool(item: unknown): Tool | undefined {
  const name = textOf(item, 'name')
  if (name === undefined) return undefined
  const hints = field(item, 'annotations')
  const openWorldHint = flagOf(hints, 'openWorldHint')
  return {
    name,
    about: aboutOf(item) ?? textOf(hints, 'title') ?? '',
    group: groupOf(hints),
    ...(openWorldHint !== undefined && { openWorldHint }),
    parameters: parametersOf(field(item, 'inputSchema')),
    hidden: hiddenIn(item),
  }
}

export function readResource(item: unknown, key: 'uri' | 'uriTemplate'): Resource | undefined {
  const uri = textOf(item, key)
  if (uri === undefined) return undefined
  const parts = [textOf(item, 'title') ?? textOf(item, 'name'), textOf(item, 'mimeType'), textOf(item, 'description')]
  return { uri, about: parts.filter((part) => part).join(', '), hidden: hiddenIn(item) }
}

export function readPrompt(item: unknown): Prompt | undefined {
  const name = textOf(item, 'name')
  if (name === undefined) return undefined
  return {
    name,
    about: aboutOf(item) ?? '',
    parameters: promptParametersOf(listOf(item, 'arguments')),
    hidden: hiddenIn(item),
  }
}

/** MCP 2026-07-28, ToolAnnotations: a tool may change things unless it says not, and destroys unless it says not. */
function groupOf(hints: unknown): Group {
  const said = (key: string) => flagOf(hints, key)
  if (said('readOnlyHint') === true) return 'read'
  if (said('destructiveHint') === false) return 'write'
  const hintKeys = ['readOnlyHint', 'destructiveHint', 'idempotentHint', 'openWorldHint']
  return hintKeys.some((key) => said(key) !== undefined) ? 'destructive' : 'unstated'
}

function aboutOf(item: unknown): string | undefined {
  return textOf(item, 'description') || textOf(item, 'title')
}
