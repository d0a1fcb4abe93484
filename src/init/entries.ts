/** The servers that a configuration names: how each is started, or why it is none that can be wrapped. */
import type { Container } from './clients.ts'
import { type Document, type Member, membersOf, type Node, valuesOf } from './document.ts'

/** How a client starts a server, and where that stands. */
export interface Start {
  readonly command: string
  readonly args: readonly string[]
  /** Null takes a variable away. */
  readonly env: Readonly<Record<string, string | null>>
  readonly envFile?: string
  readonly cwd?: string
  readonly commandMember: Member
  /** Absent: there is none in the file. */
  readonly argsNode?: Node
  /** What the command stands in. */
  readonly holder: Node
}

interface Named {
  readonly name: string
  /** Where the entry stands: the keys down to it. */
  readonly path: readonly string[]
  /** The folder that it is for, where the file says one. */
  readonly project?: string
}

export type Entry = Named &
  (
    | { readonly kind: 'stdio'; readonly start: Start }
    | { readonly kind: 'remote' }
    | { readonly kind: 'disabled' }
    /** The client or an extension of it knows how to start it. */
    | { readonly kind: 'elsewhere' }
    | { readonly kind: 'unusable'; readonly why: string }
  )

export function entriesOf({ root }: Document, containers: readonly Container[]): readonly Entry[] {
  return containers.flatMap((container) => groupsOf(root, container)).flatMap(entriesIn)
}

interface Group {
  readonly path: readonly string[]
  readonly node: Node
  readonly project?: string
  /** Names that are switched off beside the group. */
  readonly off: ReadonlySet<string>
}

const none: ReadonlySet<string> = new Set()

function groupsOf(root: Node | undefined, container: Container): readonly Group[] {
  switch (container) {
    case 'mcpServers':
    case 'servers':
    case 'context_servers':
      return valuesOf(root, container).map((node) => ({ path: [container], node, off: none }))
    case 'mcp.servers':
      return [
        ...valuesOf(root, 'mcp.servers').map((node) => ({ path: ['mcp.servers'], node, off: none })),
        ...valuesOf(root, 'mcp').flatMap((mcp) =>
          valuesOf(mcp, 'servers').map((node) => ({ path: ['mcp', 'servers'], node, off: none })),
        ),
      ]
    case 'projects':
      return valuesOf(root, 'projects').flatMap((projects) => membersOf(projects).flatMap(groupsOfProject))
  }
  return container satisfies never
}

/** Claude Code keeps the servers of its local scope below the folder they are for. */
function groupsOfProject({ key: project, value }: Member): readonly Group[] {
  const off = new Set(valuesOf(value, 'disabledMcpServers').flatMap((list) => textsOf(list) ?? []))
  return valuesOf(value, 'mcpServers').map((node) => ({
    path: ['projects', project, 'mcpServers'],
    node,
    project,
    off,
  }))
}

function entriesIn(group: Group): readonly Entry[] {
  const members = membersOf(group.node)
  const times = Map.groupBy(members, ({ key }) => key)
  return [...times].map(([name, same]) => {
    const { project } = group
    const named = { name, path: [...group.path, name], ...(project !== undefined && { project }) }
    if (same.length > 1) return { ...named, kind: 'unusable', why: 'it is there twice' }
    return { ...named, ...readEntry((same[0] as Member).value, group.off.has(name)) }
  })
}

type Body = Entry extends infer One ? (One extends Entry ? Omit<One, keyof Named> : never) : never

function readEntry(node: Node, off: boolean): Body {
  if (node.type !== 'object') return { kind: 'unusable', why: 'it is no object' } as Body
  const value = (key: string): unknown => valuesOf(node, key)[0]?.value
  if (off || value('disabled') === true || value('enabled') === false) return { kind: 'disabled' } as Body
  if (isRemote(node)) return { kind: 'remote' } as Body
  const [command] = valuesOf(node, 'command')
  // Older versions of Zed have the whole start below `command`.
  if (command?.type === 'object') return readStart(command, 'path', node)
  return readStart(node, 'command', node)
}

const remoteTypes = new Set(['http', 'sse', 'streamable-http', 'streamableHttp', 'ws', 'websocket'])

function isRemote(node: Node): boolean {
  const [type] = valuesOf(node, 'type')
  if (remoteTypes.has(String(type?.value))) return true
  const far = ['url', 'serverUrl', 'httpUrl'].some((key) => valuesOf(node, key).length > 0)
  return far && valuesOf(node, 'command').length === 0
}

function readStart(holder: Node, key: string, entry: Node): Body {
  const unusable = (why: string) => ({ kind: 'unusable', why }) as Body
  const commands = membersOf(holder).filter((member) => member.key === key)
  const lists = valuesOf(holder, 'args')
  const [commandMember] = commands
  const [argsNode] = lists
  if (!commandMember) return { kind: 'elsewhere' } as Body
  if (commands.length > 1 || lists.length > 1) return unusable('its command or its arguments are there twice')
  const { value: command } = commandMember.value
  if (typeof command !== 'string' || command === '') return unusable(`its \`${key}\` is no text`)
  const args = argsNode === undefined ? [] : textsOf(argsNode)
  if (args === undefined) return unusable('its `args` are no list of texts')
  const envFile = textOf(entry, 'envFile')
  const cwd = textOf(entry, 'cwd')
  const start: Start = {
    command,
    args,
    env: { ...envOf(entry), ...envOf(holder) },
    ...(envFile !== undefined && { envFile }),
    ...(cwd !== undefined && { cwd }),
    commandMember,
    ...(argsNode && { argsNode }),
    holder,
  }
  return { kind: 'stdio', start } as Body
}

function textOf(node: Node, key: string): string | undefined {
  const value: unknown = valuesOf(node, key)[0]?.value
  return typeof value === 'string' ? value : undefined
}

/** Undefined when it is no list of texts. */
function textsOf(node: Node): readonly string[] | undefined {
  if (node.type !== 'array') return undefined
  const items = node.children ?? []
  return items.every(({ type }) => type === 'string') ? items.map(({ value }) => String(value)) : undefined
}

function envOf(node: Node): Readonly<Record<string, string | null>> {
  const [env] = valuesOf(node, 'env')
  const values = membersOf(env).flatMap(({ key, value }): readonly [string, string | null][] => {
    if (value.type === 'null') return [[key, null]]
    return ['string', 'number', 'boolean'].includes(value.type) ? [[key, String(value.value)]] : []
  })
  return Object.fromEntries(values)
}
