/**
 * What a client puts in the place of `${...}` before it starts a server: needed to start the server as the client would.
 *
 * Claude Code: https://code.claude.com/docs/en/mcp ("Environment variable expansion"). Cursor:
 * https://cursor.com/docs/mcp ("Config interpolation"). VS Code: https://code.visualstudio.com/docs/reference/variables-reference.
 * Windsurf: https://docs.windsurf.com/windsurf/cascade/mcp ("Config interpolation"). The others put in nothing.
 */
import type { Place } from './clients.ts'

export interface Surroundings {
  readonly home: string
  readonly project?: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly separator: string
}

/** The text with every variable filled in, or the variable that nobody but the client can fill in. */
export type Expanded = { readonly text: string } | { readonly text?: undefined; readonly missing: string }

export function expanded(text: string, client: Place['client'], around: Surroundings): Expanded {
  const missing: string[] = []
  const valueIn = readerFor(client, around)
  const filled = valueIn
    ? text.replace(/\$\{([^{}]*)\}/g, (variable, name: string) => {
        const value = valueIn(name)
        if (value === undefined) missing.push(variable)
        return value ?? variable
      })
    : text
  return missing[0] === undefined ? { text: filled } : { missing: missing[0] }
}

function readerFor(client: Place['client'], around: Surroundings): ((name: string) => string | undefined) | undefined {
  switch (client) {
    case 'claude-code':
      return (name) => {
        const [variable = '', ...otherwise] = name.split(':-')
        return around.env[variable] ?? (otherwise.length > 0 ? otherwise.join(':-') : undefined)
      }
    case 'cursor':
    case 'vscode':
      return (name) => editorValue(name, around)
    case 'windsurf':
      return (name) => (name.startsWith('env:') ? around.env[name.slice(4)] : undefined)
    case 'claude-desktop':
    case 'zed':
    case 'file':
      return undefined
  }
  return client satisfies never
}

/** An unset variable is nothing to these editors. */
function editorValue(name: string, { home, project, env, separator }: Surroundings): string | undefined {
  if (name.startsWith('env:')) return env[name.slice(4)] ?? ''
  switch (name) {
    case 'userHome':
      return home
    case 'workspaceFolder':
      return project
    case 'workspaceFolderBasename':
      return project?.split(separator).at(-1)
    case 'pathSeparator':
    case '/':
      return separator
    default:
      return undefined
  }
}
