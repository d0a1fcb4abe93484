/** What each client calls a server, and what of it can be wrapped. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { type Container, containers } from '../../src/init/clients.ts'
import { readBytes, readText } from '../../src/init/document.ts'
import { entriesOf } from '../../src/init/entries.ts'
import { policyPath, serverName } from '../../src/init/names.ts'
import { expanded, type Surroundings } from '../../src/init/variables.ts'

/** Each entry in a word: its path, its kind, and its command. */
function seen(config: unknown, of: readonly Container[] = containers): readonly string[] {
  const read = readText(typeof config === 'string' ? config : JSON.stringify(config))
  assert.ok(read.fault === undefined, read.fault?.message)
  return entriesOf(read.document, of).map((entry) => {
    const command = entry.kind === 'stdio' ? ` ${[entry.start.command, ...entry.start.args].join(' ')}` : ''
    return `${entry.path.join('.')} ${entry.kind}${command}${entry.kind === 'unusable' ? `: ${entry.why}` : ''}`
  })
}

suite('entries', () => {
  test('of Claude Code: the user, and each folder', () => {
    const server = { type: 'stdio', command: 'npx', args: ['-y', 'x'], env: {} }
    const config = {
      numStartups: 4,
      mcpServers: { all: server },
      projects: {
        '/work/shop': { allowedTools: [], mcpServers: { own: server, off: server }, disabledMcpServers: ['off'] },
        '/work/none': { mcpServers: {} },
      },
    }
    assert.deepEqual(seen(config, ['mcpServers', 'projects']), [
      'mcpServers.all stdio npx -y x',
      'projects./work/shop.mcpServers.own stdio npx -y x',
      'projects./work/shop.mcpServers.off disabled',
    ])
  })

  test('of VS Code: in a file of their own, and in the settings', () => {
    const config = {
      inputs: [],
      servers: { 'io.github.x/y': { command: 'uvx', args: ['y'] }, web: { type: 'http', url: 'u' } },
    }
    assert.deepEqual(seen(config, ['servers']), ['servers.io.github.x/y stdio uvx y', 'servers.web remote'])
    assert.deepEqual(seen({ mcp: { servers: { a: { command: 'x' } } } }, ['mcp.servers']), ['mcp.servers.a stdio x'])
    assert.deepEqual(seen({ 'mcp.servers': { a: { command: 'x' } } }, ['mcp.servers']), ['mcp.servers.a stdio x'])
  })

  test('of Zed: old and new, and those of its extensions', () => {
    const config = `{
      // settings
      "context_servers": {
        "new": { "source": "custom", "command": "npx", "args": ["-y", "x"], "env": {}, },
        "old": { "command": { "path": "/opt/server", "args": ["run"], "env": { "A": "b" } }, "settings": {} },
        "mcp-server-github": { "source": "extension", "enabled": true, "settings": { "token": "t" } },
        "off": { "source": "custom", "enabled": false, "command": "x" },
        "far": { "url": "https://x.example/mcp" },
      },
    }`
    assert.deepEqual(seen(config, ['context_servers']), [
      'context_servers.new stdio npx -y x',
      'context_servers.old stdio /opt/server run',
      'context_servers.mcp-server-github elsewhere',
      'context_servers.off disabled',
      'context_servers.far remote',
    ])
  })

  test('of Windsurf and Cursor: remote by several names, and switched off', () => {
    const mcpServers = {
      a: { serverUrl: 'u' },
      b: { url: 'u' },
      c: { command: 'x', disabled: true },
      d: { type: 'sse' },
    }
    assert.deepEqual(seen({ mcpServers }), [
      'mcpServers.a remote',
      'mcpServers.b remote',
      'mcpServers.c disabled',
      'mcpServers.d remote',
    ])
  })

  test('what two readers could take differently cannot be wrapped, and says why', () => {
    assert.deepEqual(
      seen(`{"mcpServers": {
        "twice": {"command": "a"}, "twice": {"command": "b"},
        "half": {"command": "a", "command": "b"},
        "list": [], "number": {"command": 7}, "empty": {"command": ""},
        "args": {"command": "a", "args": "b"}, "mixed": {"command": "a", "args": ["b", 1]}
      }}`),
      [
        'mcpServers.twice unusable: it is there twice',
        'mcpServers.half unusable: its command or its arguments are there twice',
        'mcpServers.list unusable: it is no object',
        'mcpServers.number unusable: its `command` is no text',
        'mcpServers.empty unusable: its `command` is no text',
        'mcpServers.args unusable: its `args` are no list of texts',
        'mcpServers.mixed unusable: its `args` are no list of texts',
      ],
    )
  })

  test('names that are names of JavaScript are names', () => {
    const config = '{"mcpServers": {"__proto__": {"command": "a"}, "constructor": {"command": "b"}}}'
    assert.deepEqual(seen(config), ['mcpServers.__proto__ stdio a', 'mcpServers.constructor stdio b'])
  })

  test('a file without servers has none', () => {
    for (const text of ['', ' \n', '{}', '// nothing yet\n', '{"mcpServers": null}', '{"mcp": 1, "servers": []}'])
      assert.deepEqual(seen(text), [], text)
  })
})

test('what is no JSON is told with its place', () => {
  const faultOf = (text: string | Uint8Array) => {
    const { fault } = { fault: undefined, ...(typeof text === 'string' ? readText(text) : readBytes(text)) }
    return fault && `${fault.line}:${fault.col} ${fault.message}`
  }
  assert.equal(faultOf('{\n  "a": 1\n  "b": 2\n}'), '3:3 comma expected')
  assert.equal(faultOf('\ufeff{"a" 1}'), '1:6 colon expected')
  assert.equal(faultOf('{"a": '), '1:7 it ends too early')
  assert.equal(faultOf('[]'), '1:1 it is no JSON object')
  assert.equal(faultOf('{"a": tru}'), '1:7 invalid symbol')
  assert.equal(faultOf(Buffer.from([0x7b, 0xff, 0x7d])), '1:1 it is not UTF-8')
  assert.equal(faultOf(Buffer.from('\ufeff{}', 'utf16le')), '1:1 it is not UTF-8')
  assert.equal(faultOf('['.repeat(1_000_000)), '1:1 it is nested too deeply')
})

test('a server is called as its client calls it, where a policy can', () => {
  assert.equal(serverName('github'), 'github')
  assert.equal(serverName('My Server'), 'My Server')
  assert.equal(serverName('io.github.x/y'), 'io.github.x-y')
  assert.equal(serverName('a*\u200bb'), 'a--b')
  assert.equal(serverName('  '), 'server')
})

test('policies of different entries have different places, and the same entry always the same', () => {
  const shop = { title: 'shop', whole: '/work/shop' }
  assert.deepEqual(policyPath('cursor', undefined, 'github'), ['cursor', 'github.yaml'])
  assert.deepEqual(policyPath('cursor', shop, 'github'), policyPath('cursor', shop, 'github'))
  const paths = [
    policyPath('cursor', undefined, 'github'),
    policyPath('zed', undefined, 'github'),
    policyPath('cursor', undefined, 'GitHub'),
    policyPath('cursor', undefined, 'git/hub'),
    policyPath('cursor', undefined, 'git-hub'),
    policyPath('cursor', undefined, '../../etc'),
    policyPath('cursor', undefined, '..'),
    policyPath('cursor', undefined, ''),
    policyPath('cursor', undefined, 'x'.repeat(300)),
    policyPath('cursor', undefined, 'x'.repeat(301)),
    policyPath('cursor', shop, 'github'),
    policyPath('cursor', { title: 'shop', whole: '/other/shop' }, 'github'),
  ].map((parts) => parts.join('/'))
  assert.equal(new Set(paths).size, paths.length)
  for (const path of paths) assert.match(path, /^[a-z-]+(\/[a-z0-9][a-z0-9._-]*)+\.yaml$/)
})

test('variables are filled in as each client does it, and what only the client knows is said', () => {
  const around: Surroundings = {
    home: '/home/ada',
    project: '/work/shop',
    env: { TOKEN: 't' },
    separator: '/',
  }
  const filled = (client: Parameters<typeof expanded>[1], text: string) => {
    const result = expanded(text, client, around)
    return result.text ?? `missing ${result.missing}`
  }
  const of = (name: string) => `\${${name}}`
  const folder = of('workspaceFolder')
  assert.equal(filled('claude-code', `${of('TOKEN')}-${of('NONE:-a:-b')}-$TOKEN`), 't-a:-b-$TOKEN')
  assert.equal(filled('claude-code', of('NONE')), `missing ${of('NONE')}`)
  assert.equal(
    filled('vscode', `${folder}/x ${of('env:TOKEN')}${of('env:NONE')} ${of('userHome')}`),
    '/work/shop/x t /home/ada',
  )
  assert.equal(filled('vscode', of('input:key')), `missing ${of('input:key')}`)
  assert.equal(filled('cursor', `${of('workspaceFolderBasename')}${of('pathSeparator')}x${of('/')}`), 'shop/x/')
  assert.equal(filled('windsurf', of('env:TOKEN')), 't')
  assert.equal(filled('claude-desktop', of('TOKEN')), of('TOKEN'))
  const { project: _, ...elsewhere } = around
  assert.deepEqual(expanded(folder, 'vscode', elsewhere), { missing: folder })
})
