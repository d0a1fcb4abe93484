/** Where each client keeps its configuration, on each platform. The pages that say so are named in the source. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { knownPlaces, type Machine, policyFolder } from '../../src/init/clients.ts'

const linux: Machine = { platform: 'linux', home: '/home/ada', folder: '/work/shop', env: {}, list: () => [] }
const mac: Machine = { ...linux, platform: 'darwin', home: '/Users/ada' }
const windows: Machine = {
  platform: 'win32',
  home: 'C:\\Users\\ada',
  folder: 'D:\\shop',
  env: { APPDATA: 'C:\\Users\\ada\\AppData\\Roaming', LOCALAPPDATA: 'C:\\Users\\ada\\AppData\\Local' },
  list: () => [],
}

function filesOf(machine: Machine, client: string): readonly string[] {
  return knownPlaces(machine).flatMap((place) => (place.client === client ? [place.file] : []))
}

suite('the places of configurations', () => {
  test('on Linux', () => {
    assert.deepEqual(filesOf(linux, 'claude-desktop'), ['/home/ada/.config/Claude/claude_desktop_config.json'])
    assert.deepEqual(filesOf(linux, 'claude-code'), ['/home/ada/.claude.json', '/work/shop/.mcp.json'])
    assert.deepEqual(filesOf(linux, 'cursor'), ['/home/ada/.cursor/mcp.json', '/work/shop/.cursor/mcp.json'])
    assert.deepEqual(filesOf(linux, 'windsurf'), ['/home/ada/.codeium/windsurf/mcp_config.json'])
    assert.deepEqual(filesOf(linux, 'zed'), ['/home/ada/.config/zed/settings.json', '/work/shop/.zed/settings.json'])
    const vscode = filesOf(linux, 'vscode')
    for (const file of [
      '/home/ada/.config/Code/User/mcp.json',
      '/home/ada/.config/Code/User/settings.json',
      '/home/ada/.config/Code - Insiders/User/mcp.json',
      '/home/ada/.config/VSCodium/User/mcp.json',
      '/work/shop/.vscode/mcp.json',
      '/work/shop/.vscode/settings.json',
    ])
      assert.ok(vscode.includes(file), file)
  })

  test('on macOS', () => {
    const support = '/Users/ada/Library/Application Support'
    assert.deepEqual(filesOf(mac, 'claude-desktop'), [`${support}/Claude/claude_desktop_config.json`])
    assert.ok(filesOf(mac, 'vscode').includes(`${support}/Code/User/mcp.json`))
    assert.equal(filesOf(mac, 'zed')[0], '/Users/ada/.config/zed/settings.json')
    assert.equal(policyFolder(mac), `${support}/tollgate/policies`)
  })

  test('on Windows, also where Claude Desktop is installed as a package', () => {
    const packages = 'C:\\Users\\ada\\AppData\\Local\\Packages'
    const list = (folder: string) => (folder === packages ? ['Claude_pzs8sxrjxfjjc', 'Other_1'] : [])
    assert.deepEqual(filesOf({ ...windows, list }, 'claude-desktop'), [
      'C:\\Users\\ada\\AppData\\Roaming\\Claude\\claude_desktop_config.json',
      `${packages}\\Claude_pzs8sxrjxfjjc\\LocalCache\\Roaming\\Claude\\claude_desktop_config.json`,
    ])
    assert.deepEqual(filesOf(windows, 'claude-code'), ['C:\\Users\\ada\\.claude.json', 'D:\\shop\\.mcp.json'])
    assert.deepEqual(filesOf(windows, 'cursor'), ['C:\\Users\\ada\\.cursor\\mcp.json', 'D:\\shop\\.cursor\\mcp.json'])
    assert.ok(filesOf(windows, 'vscode').includes('C:\\Users\\ada\\AppData\\Roaming\\Code\\User\\mcp.json'))
    assert.equal(filesOf(windows, 'zed')[0], 'C:\\Users\\ada\\AppData\\Roaming\\Zed\\settings.json')
    assert.equal(filesOf(windows, 'windsurf')[0], 'C:\\Users\\ada\\.codeium\\windsurf\\mcp_config.json')
  })

  test('variables move them', () => {
    const env = { XDG_CONFIG_HOME: '/etc/ada', CLAUDE_CONFIG_DIR: '/etc/claude', APPDATA: 'E:\\Roaming' }
    assert.deepEqual(filesOf({ ...linux, env }, 'claude-desktop'), ['/etc/ada/Claude/claude_desktop_config.json'])
    assert.ok(filesOf({ ...linux, env }, 'claude-code').includes('/etc/claude/.claude.json'))
    assert.equal(filesOf({ ...linux, env }, 'zed')[0], '/etc/ada/zed/settings.json')
    assert.equal(
      filesOf({ ...linux, env: { FLATPAK_XDG_CONFIG_HOME: '/var/zed' } }, 'zed')[0],
      '/var/zed/zed/settings.json',
    )
    assert.equal(policyFolder({ ...linux, env }), '/etc/ada/tollgate/policies')
    assert.equal(policyFolder({ ...windows, env }), 'E:\\Roaming\\tollgate\\policies')
    assert.equal(
      policyFolder({ ...linux, env: { XDG_CONFIG_HOME: 'relative' } }),
      '/home/ada/.config/tollgate/policies',
    )
  })

  test('each profile of VS Code has servers of its own', () => {
    const profiles = '/home/ada/.config/Code/User/profiles'
    const list = (folder: string) => (folder === profiles ? ['-5d4f'] : [])
    assert.ok(filesOf({ ...linux, list }, 'vscode').includes(`${profiles}/-5d4f/mcp.json`))
  })

  test('one file of each client is the one that it has for the user', () => {
    const main = knownPlaces(linux).filter((place) => place.main)
    assert.deepEqual(
      main.map(({ client }) => client),
      ['claude-desktop', 'claude-code', 'cursor', 'vscode', 'windsurf', 'zed'],
    )
  })
})
