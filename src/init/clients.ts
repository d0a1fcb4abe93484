/**
 * Where MCP clients keep their configuration, by platform.
 *
 * - Claude Desktop: https://modelcontextprotocol.io/docs/develop/connect-local-servers (macOS, Windows); installed as a
 *   package, Windows keeps it below `%LOCALAPPDATA%\Packages\Claude_*` (anthropics/claude-code issues 25579, 57998); Linux
 *   builds use the folder that Electron gives them (aaddrick/claude-desktop-debian issue 1).
 * - Claude Code: https://code.claude.com/docs/en/mcp ("MCP installation scopes"): user and local scope in `~/.claude.json`,
 *   project scope in `.mcp.json`; `CLAUDE_CONFIG_DIR` moves the former.
 * - Cursor: https://cursor.com/docs/mcp ("Configuration locations").
 * - VS Code: https://code.visualstudio.com/docs/agents/reference/mcp-configuration and
 *   https://code.visualstudio.com/docs/configure/settings ("User settings.json location"); before 1.102 servers stood in
 *   the settings.
 * - Windsurf: https://docs.windsurf.com/windsurf/cascade/mcp.
 * - Zed: https://zed.dev/docs/ai/mcp; folders in `crates/paths/src/paths.rs` of zed-industries/zed.
 */
import { posix, win32 } from 'node:path'

export const clientIds = ['claude-desktop', 'claude-code', 'cursor', 'vscode', 'windsurf', 'zed'] as const

export type ClientId = (typeof clientIds)[number]

/** Where servers stand in a file. `projects`: below each folder that Claude Code has been used in. */
export const containers = ['mcpServers', 'servers', 'context_servers', 'mcp.servers', 'projects'] as const

export type Container = (typeof containers)[number]

export interface Place {
  /** `file`: named by hand, and none that is known. */
  readonly client: ClientId | 'file'
  readonly file: string
  readonly containers: readonly Container[]
  /** The folder whose configuration this is, where it is not the user's. */
  readonly project?: string
  /** The one file that its client always has for the user. */
  readonly main?: true
}

export interface Machine {
  readonly platform: string
  readonly home: string
  /** The folder whose project configurations are looked for. */
  readonly folder: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** Names in a folder; none where there is no such folder. */
  readonly list: (folder: string) => readonly string[]
}

export const clientTitles: Readonly<Record<Place['client'], string>> = {
  'claude-desktop': 'Claude Desktop',
  'claude-code': 'Claude Code',
  cursor: 'Cursor',
  vscode: 'VS Code',
  windsurf: 'Windsurf',
  zed: 'Zed',
  file: 'Named by hand',
}

/** Every place that is known, whether or not there is a file. */
export function knownPlaces(machine: Machine): readonly Place[] {
  const { join } = pathsOf(machine)
  const { home, folder } = machine
  const project = (client: ClientId, container: Container, ...names: readonly string[]): Place => ({
    client,
    file: join(folder, ...names),
    containers: [container],
    project: folder,
  })
  const user = (client: ClientId, files: readonly string[], ...of: readonly Container[]): readonly Place[] =>
    files.map((file, at) => ({ client, file, containers: of, ...(at === 0 && { main: true }) }))
  const filesIn = (name: string) => vsCodeFolders(machine).map((of) => join(of, name))
  return [
    ...user('claude-desktop', claudeDesktopFiles(machine), 'mcpServers'),
    ...user('claude-code', claudeCodeFiles(machine), 'mcpServers', 'projects'),
    project('claude-code', 'mcpServers', '.mcp.json'),
    ...user('cursor', [join(home, '.cursor', 'mcp.json')], 'mcpServers'),
    project('cursor', 'mcpServers', '.cursor', 'mcp.json'),
    ...user('vscode', filesIn('mcp.json'), 'servers'),
    ...user('vscode', filesIn('settings.json'), 'mcp.servers').map(({ main: _, ...place }) => place),
    project('vscode', 'servers', '.vscode', 'mcp.json'),
    project('vscode', 'mcp.servers', '.vscode', 'settings.json'),
    ...user('windsurf', [join(home, '.codeium', 'windsurf', 'mcp_config.json')], 'mcpServers'),
    ...user('zed', [join(zedFolder(machine), 'settings.json')], 'context_servers'),
    project('zed', 'context_servers', '.zed', 'settings.json'),
  ]
}

/** Where policies are written unless another folder is named. */
export function policyFolder(machine: Machine): string {
  return pathsOf(machine).join(configFolder(machine), 'tollgate', 'policies')
}

export function pathsOf({ platform }: Pick<Machine, 'platform'>): typeof posix {
  return platform === 'win32' ? win32 : posix
}

/** The folder for what users configure: that of the platform, or of the XDG Base Directory Specification 0.8. */
function configFolder({ platform, home, env }: Machine): string {
  if (platform === 'win32') return env['APPDATA'] || win32.join(home, 'AppData', 'Roaming')
  if (platform === 'darwin') return posix.join(home, 'Library', 'Application Support')
  const xdg = env['XDG_CONFIG_HOME']
  return xdg && posix.isAbsolute(xdg) ? xdg : posix.join(home, '.config')
}

function claudeDesktopFiles(machine: Machine): readonly string[] {
  const { platform, home, env, list } = machine
  const name = 'claude_desktop_config.json'
  const plain = pathsOf(machine).join(configFolder(machine), 'Claude', name)
  if (platform !== 'win32') return [plain]
  const packages = win32.join(env['LOCALAPPDATA'] || win32.join(home, 'AppData', 'Local'), 'Packages')
  const own = list(packages).filter((one) => one.startsWith('Claude_'))
  return [plain, ...own.map((one) => win32.join(packages, one, 'LocalCache', 'Roaming', 'Claude', name))]
}

/** Not every version follows the variable for its servers: both files are looked for. */
function claudeCodeFiles(machine: Machine): readonly string[] {
  const { join, resolve } = pathsOf(machine)
  const moved = machine.env['CLAUDE_CONFIG_DIR']
  const files = [join(machine.home, '.claude.json'), ...(moved ? [resolve(machine.folder, moved, '.claude.json')] : [])]
  return [...new Set(files)]
}

/** The folder of each edition, and of each profile in it. */
function vsCodeFolders(machine: Machine): readonly string[] {
  const { join } = pathsOf(machine)
  return ['Code', 'Code - Insiders', 'VSCodium'].flatMap((edition) => {
    const user = join(configFolder(machine), edition, 'User')
    const profiles = join(user, 'profiles')
    return [user, ...machine.list(profiles).map((profile) => join(profiles, profile))]
  })
}

function zedFolder(machine: Machine): string {
  const { platform, home, env } = machine
  if (platform === 'win32') return win32.join(configFolder(machine), 'Zed')
  if (platform === 'darwin') return posix.join(home, '.config', 'zed')
  return posix.join(env['FLATPAK_XDG_CONFIG_HOME'] || configFolder(machine), 'zed')
}
