/** What is known of a tool as people and programs read it. `docs/tools.md` is the table of its members. */
import type { ServerTool, ToolPins } from '../model/pinning.ts'

/** `new`: nothing of it was accepted. `changed`: something was, and its server has shown something else since. */
export type ToolState = 'pinned' | 'changed' | 'new'

export interface ToolView extends ServerTool {
  readonly state: ToolState
  /** When that became known: RFC 3339, UTC, milliseconds. */
  readonly since: string
  readonly pinned: readonly DefinitionView[]
  readonly held: readonly DefinitionView[]
}

export interface DefinitionView {
  readonly sha256: string
  /** Null where it was too large to be kept. */
  readonly definition: Definition | null
}

export interface Definition {
  readonly [member: string]: unknown
}

export function toolView(
  { server, tool, at, pinned, held }: ServerTool & ToolPins & { readonly at: number },
  definitionOf: (sha256: string) => string | undefined,
): ToolView {
  const view = (sha256: string): DefinitionView => {
    const text = definitionOf(sha256)
    return { sha256, definition: text === undefined ? null : (JSON.parse(text) as Definition) }
  }
  const state = pinned.length === 0 ? 'new' : held.length > 0 ? 'changed' : 'pinned'
  const since = new Date(at).toISOString()
  return { server, tool, state, since, pinned: pinned.map(view), held: held.map(view) }
}
