/** `tollgate init` as a person runs it: configurations as clients write them, real servers, and what comes of them. */
import assert from 'node:assert/strict'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { type Entry, entryOf, json, partOf, reportsIn, server } from '../init/configs.ts'
import { everything, filesystem, type Home, machine, memory, node, odd } from '../init/machine.ts'

/** Starts exactly what an entry says, with the little that a client gives on, and calls a tool. */
async function called(
  { command, args, env }: Entry,
  home: Home,
  tool: { readonly name: string; readonly arguments?: Record<string, unknown> },
): Promise<string> {
  const { TOLLGATE_CACHE_DIR = '' } = home.env // else each policy would be compiled a second time
  const surroundings = { HOME: home.home, PATH: '/usr/bin:/bin', TOLLGATE_CACHE_DIR, ...env }
  const transport = new StdioClientTransport({ command, args: [...args], env: surroundings, cwd: '/', stderr: 'pipe' })
  const client = new Client({ name: 'client', version: '1' })
  await client.connect(transport)
  const { content } = await client.callTool(tool)
  await client.close()
  return JSON.stringify(content)
}

interface Recorded {
  readonly input: { readonly server: string; readonly tool: string }
  readonly result: { readonly decision: string }
}

async function recordsOf(home: Home): Promise<readonly Recorded[]> {
  const { stdout, stderr } = await home.tollgate('audit', '--format', 'json')
  return JSON.parse(stdout || assert.fail(stderr))
}

suite('tollgate init', { concurrency: 2 }, () => {
  test('every server of every client is behind a gate, is reached through it, and is as before after --undo', async (context) => {
    const home = machine(context)
    home.put(join(home.project, 'note.txt'), 'hello from the file')
    const files = {
      desktop: home.put(
        '.config/Claude/claude_desktop_config.json',
        json({ mcpServers: { everything: server(everything) }, theme: 'dark' }),
      ),
      code: home.put(
        '.claude.json',
        JSON.stringify({
          numStartups: 7,
          mcpServers: {
            memory: { type: 'stdio', ...server(memory), env: { MEMORY_FILE_PATH: join(home.root, 'm.jsonl') } },
          },
          projects: { [home.project]: { allowedTools: [], mcpServers: { files: server(filesystem, home.project) } } },
        }),
      ),
      shared: home.put(
        join(home.project, '.mcp.json'),
        `\ufeff${json({ mcpServers: { shared: server(memory) } }).replaceAll('\n', '\r\n')}`,
      ),
      cursor: home.put(
        '.cursor/mcp.json',
        `{"mcpServers":{"My Files":{"args":[${JSON.stringify(filesystem)},${JSON.stringify(home.project)}],"command":${JSON.stringify(node)}}}}`,
      ),
      vscode: home.put(
        join(home.project, '.vscode/mcp.json'),
        `{
\t// for the shop
\t"servers": {
\t\t"io.github.x/files": {
\t\t\t"type": "stdio",
\t\t\t"command": ${JSON.stringify(node)},
\t\t\t"args": [
\t\t\t\t${JSON.stringify(filesystem)}, // the server
\t\t\t\t"\${workspaceFolder}",
\t\t\t],
\t\t},
\t\t"web": { "type": "http", "url": "https://x.example/mcp", },
\t},
\t"inputs": [],
}
`,
      ),
      settings: home.put(
        '.config/Code/User/settings.json',
        json({ 'editor.tabSize': 2, mcp: { servers: { memory: server(memory) } } }),
      ),
      windsurf: home.put(
        '.codeium/windsurf/mcp_config.json',
        json({
          mcpServers: {
            memory: server(memory),
            off: { ...server(odd), disabled: true },
            far: { serverUrl: 'https://x.example' },
          },
        }),
      ),
      zed: home.put(
        '.config/zed/settings.json',
        `// Zed
{
  "context_servers": {
    "memory": { "command": { "path": ${JSON.stringify(node)}, "args": [${JSON.stringify(memory)}], "env": {} }, "settings": {} },
    "mcp-server-github": { "source": "extension", "settings": {} },
  },
}
`,
      ),
    }
    const before = home.contents()
    const { code, stdout, stderr } = await home.tollgate('init', '--yes', '--json')
    assert.deepEqual([code, stderr], [0, ''])
    const reports = reportsIn(stdout)
    const seen = reports.flatMap(({ client, servers }) => servers.map((one) => `${client} ${one.server} ${one.status}`))
    assert.deepEqual(seen, [
      'claude-desktop everything wrapped',
      'claude-code memory wrapped',
      'claude-code files wrapped',
      'claude-code shared wrapped',
      'cursor My Files wrapped',
      'vscode memory wrapped',
      'vscode io.github.x/files wrapped',
      'vscode web remote',
      'windsurf memory wrapped',
      'windsurf off disabled',
      'windsurf far remote',
      'zed memory wrapped',
      'zed mcp-server-github not_wrapped',
    ])
    const policies = reports.flatMap(({ servers }) => servers.flatMap(({ policy = [] }) => policy))
    assert.equal(new Set(policies).size, 9)
    const checked = await home.tollgate('check', ...policies)
    assert.deepEqual([checked.code, checked.stdout], [0, ''], checked.stderr)

    const echo = { name: 'echo', arguments: { message: 'through the gate' } }
    const graph = { name: 'read_graph' }
    const read = { name: 'read_text_file', arguments: { path: join(home.project, 'note.txt') } }
    const memoryOfUser = entryOf(files.code, 'mcpServers', 'memory')
    const places = [
      [entryOf(files.desktop, 'mcpServers', 'everything'), echo, /through the gate/],
      [memoryOfUser, graph, /entities/],
      [entryOf(files.code, 'projects', home.project, 'mcpServers', 'files'), read, /hello from the file/],
      [entryOf(files.shared, 'mcpServers', 'shared'), graph, /entities/],
      [entryOf(files.cursor, 'mcpServers', 'My Files'), read, /hello from the file/],
      [entryOf(files.settings, 'mcp', 'servers', 'memory'), graph, /entities/],
      [entryOf(files.windsurf, 'mcpServers', 'memory'), graph, /entities/],
      [entryOf(files.zed, 'context_servers', 'memory'), graph, /entities/],
    ] as const
    for (const [entry, tool, expected] of places) assert.match(await called(entry, home, tool), expected)
    const shop = entryOf(files.vscode, 'servers', 'io.github.x/files')
    // VS Code itself fills in its variables, in arguments as in commands.
    const filled = { ...shop, args: shop.args.map((arg) => arg.replace(/\$\{workspaceFolder\}/, home.project)) }
    assert.match(await called(filled, home, read), /hello from the file/)
    const calls = (await recordsOf(home)).map(
      (record) => `${record.input.server} ${record.input.tool} ${record.result.decision}`,
    )
    assert.deepEqual(calls, [
      'everything echo allow',
      'memory read_graph allow',
      'files read_text_file allow',
      'shared read_graph allow',
      'My Files read_text_file allow',
      'memory read_graph allow',
      'memory read_graph allow',
      'memory read_graph allow',
      'io.github.x-files read_text_file allow',
    ])
    assert.deepEqual(memoryOfUser.env, { MEMORY_FILE_PATH: join(home.root, 'm.jsonl') })

    const once = home.contents()
    const again = await home.tollgate('init', '--yes', '--json')
    assert.equal(again.code, 0)
    assert.doesNotMatch(again.stdout, /"wrapped"/)
    assert.deepEqual(configsIn(home.contents()), configsIn(once))
    const off = await home.tollgate('init', '--undo', '--yes')
    assert.equal(off.code, 0, off.stderr)
    assert.equal(off.stdout.match(/^ {2}unwrapped /gm)?.length, 9)
    const after = home.contents()
    for (const [name, bytes] of Object.entries(before)) assert.equal(after[name], bytes, name)
    const nothing = await home.tollgate('init', '--undo', '--yes')
    assert.deepEqual([nothing.code, nothing.stdout], [0, ''])
  })

  test('a dry run shows the change as a difference and changes nothing', async (context) => {
    const home = machine(context)
    home.put(
      '.cursor/mcp.json',
      json({ mcpServers: { memory: { ...server(memory), env: { API_KEY: 'sk-secret-1' } } } }),
    )
    const before = home.contents()
    const { code, stdout, stderr } = await home.tollgate('init', '--dry-run')
    assert.deepEqual([code, stderr], [0, ''])
    assert.deepEqual(home.contents(), before)
    assert.match(stdout, /would wrap +memory +9 tools, 3 held for approval; policy .*cursor\/memory\.yaml/)
    assert.match(stdout, /^\+\s+"run",$/m)
    assert.match(stdout, /^--- .*\.cursor\/mcp\.json\n\+\+\+ .*\n@@ -3,6 \+3,17 @@$/m)
    assert.doesNotMatch(stdout, /sk-secret/)
    await home.tollgate('init', '--yes')
    const wrapped = home.contents()
    const undo = await home.tollgate('init', '--undo', '--dry-run')
    assert.match(undo.stdout, /^-\s+"run",$/m)
    assert.deepEqual(home.contents(), wrapped)
  })

  test('the server gets its variables, its file of variables and its folder, as from its client', async (context) => {
    const home = machine(context)
    const needy = home.put(
      'needy.mjs',
      `
      import { basename } from 'node:path'
      const { ONE, TWO, GONE } = process.env
      if (ONE !== 'one' || TWO !== 'two words' || GONE !== undefined || basename(process.cwd()) !== 'inner') process.exit(1)
      await import(${JSON.stringify(memory)})`,
    )
    home.put(join(home.project, 'inner/.env'), 'TWO="two words"\n')
    home.put(
      join(home.project, '.vscode/mcp.json'),
      json({
        servers: {
          needy: {
            ...server(needy),
            cwd: `\${workspaceFolder}/inner`,
            envFile: '.env',
            env: { ONE: `\${env:START}`, GONE: null },
          },
          asks: { ...server(memory), env: { KEY: `\${input:key}` } },
        },
      }),
    )
    Object.assign(home.env, { START: 'one', GONE: 'here' })
    const { code, stdout } = await home.tollgate('init', '--yes')
    assert.equal(code, 1)
    assert.match(stdout, /wrapped +needy/)
    assert.match(stdout, /failed +asks +only its client knows what `\$\{input:key\}` is/)
  })

  test('a link stays a link, and the mode of the file stays; the backup has it too', async (context) => {
    const home = machine(context)
    const text = json({ mcpServers: { memory: server(memory) } })
    const real = home.put('dotfiles/cursor.json', text)
    chmodSync(real, 0o600)
    const link = home.put('.cursor/mcp.json', '')
    rmSync(link)
    symlinkSync(real, link)
    const { code, stdout } = await home.tollgate('init', '--yes', '--json')
    assert.equal(code, 0, stdout)
    assert.ok(lstatSync(link).isSymbolicLink())
    assert.equal(statSync(real).mode & 0o777, 0o600)
    const [{ backup = '' } = assert.fail(stdout)] = reportsIn(stdout)
    assert.equal(backup, `${real}.tollgate-backup-1`)
    assert.equal(readFileSync(backup, 'utf8'), text)
    assert.equal(statSync(backup).mode & 0o777, 0o600)
    await home.tollgate('init', '--undo', '--yes')
    assert.equal(readFileSync(real, 'utf8'), text)
    assert.ok(lstatSync(link).isSymbolicLink())
    await home.tollgate('init', '--yes')
    assert.ok(!existsSync(`${real}.tollgate-backup-2`), 'the same bytes are kept once')
  })

  test('edited after it was wrapped, --undo takes our words alone, and keeps the edit', async (context) => {
    const home = machine(context)
    const text =
      '{\n  // mine\n  "mcpServers": {\n    "memory": { "command": "NODE", "args": ["SERVER"] }, "other": { "command": "NODE", "args": ["SERVER"] }\n  }\n}\n'
        .replaceAll('NODE', node)
        .replaceAll('SERVER', memory)
    const file = home.put('.cursor/mcp.json', text)
    await home.tollgate('init', '--yes')
    writeFileSync(file, readFileSync(file, 'utf8').replace('// mine', '// mine, and changed'))
    const one = await home.tollgate('init', '--undo', '--yes', '--server', 'memory')
    assert.equal(one.code, 0, one.stderr)
    assert.deepEqual(partOf(file, 'mcpServers', 'memory'), server(memory))
    assert.ok(entryOf(file, 'mcpServers', 'other').args.includes('run'))
    assert.match(one.stdout, /backup +.*tollgate-backup-2/)
    await home.tollgate('init', '--undo', '--yes')
    assert.equal(readFileSync(file, 'utf8'), text.replace('// mine', '// mine, and changed'))
  })

  test('one policy for all starts no server, and must be good', async (context) => {
    const home = machine(context)
    const file = home.put('.cursor/mcp.json', json({ mcpServers: { far: { command: 'not-here', args: ['a b'] } } }))
    const link = join(home.root, 'bin/node')
    mkdirSync(join(home.root, 'bin'))
    symlinkSync(node, link)
    home.env['PATH'] = `${join(home.root, 'bin')}:${home.env['PATH']}`
    const policy = home.put(
      join(home.project, 'all.yaml'),
      'version: "1"\ndefault: deny\ntools: { x: { rules: [] } }\n',
    )
    const { code, stdout } = await home.tollgate('init', '--yes', '--policy', 'all.yaml')
    assert.equal(code, 0, stdout)
    const { command, args } = entryOf(file, 'mcpServers', 'far')
    assert.equal(command, link, 'a link on the search path outlives an update of what it leads to')
    assert.deepEqual(args.slice(2), [
      'run',
      '-c',
      policy,
      '--server',
      'far',
      '--ledger',
      home.ledger,
      '--',
      'not-here',
      'a b',
    ])
    assert.match(args[1] ?? '', /^\/.*main\.ts$/)
    await home.tollgate('init', '--undo', '--yes')
    home.put(policy, 'version: "1"\ndefault: deny\ntoolz: {}\n')
    const bad = await home.tollgate('init', '--yes', '--policy', policy)
    assert.equal(bad.code, 1)
    assert.match(bad.stderr, /all\.yaml:3:1: .*\n.*\(policy_invalid\)/s)
  })

  test('a policy that is there is kept as somebody has edited it; without a scan nothing else is wrapped', async (context) => {
    const home = machine(context)
    home.put('.cursor/mcp.json', json({ mcpServers: { mine: server(odd), none: server(odd), bad: server(odd) } }))
    const folder = join(home.root, 'my policies')
    const mine = home.put(
      join(folder, 'cursor/mine.yaml'),
      'version: "1"\ndefault: deny\ntools: { x: { rules: [] } }\n',
    )
    home.put(join(folder, 'cursor/bad.yaml'), 'version: "1"\ndefault: dney\ntools: {}\n')
    const text = readFileSync(mine)
    const { code, stdout } = await home.tollgate('init', '--yes', '--no-scan', '--policy-dir', folder)
    assert.equal(code, 1)
    assert.match(stdout, /wrapped +mine +policy .*my policies\/cursor\/mine\.yaml/)
    assert.match(stdout, /failed +none +there is no policy .*\(policy_missing\)/)
    assert.match(stdout, /failed +bad +.*bad\.yaml:2:10: .*\(policy_invalid\)/)
    assert.deepEqual(readFileSync(mine), text)
  })

  test('clients, configurations and servers can be named', async (context) => {
    const home = machine(context)
    const servers = { a: server(memory), b: server(memory) }
    const cursor = home.put('.cursor/mcp.json', json({ mcpServers: servers }))
    const windsurf = home.put('.codeium/windsurf/mcp_config.json', json({ mcpServers: servers }))
    const own = home.put(join(home.project, 'agent.json'), json({ mcpServers: servers }))
    const statuses = async (...args: readonly string[]) => {
      const { stdout, stderr } = await home.tollgate('init', '--dry-run', '--json', '--no-scan', ...args)
      const reports = reportsIn(stdout || assert.fail(stderr))
      return reports.map(({ client, file, servers: list }) => [
        client,
        file,
        list.map(({ server: name }) => name).join(),
      ])
    }
    assert.deepEqual(await statuses(), [
      ['cursor', cursor, 'a,b'],
      ['windsurf', windsurf, 'a,b'],
    ])
    assert.deepEqual(await statuses('--client', 'cursor', '--server', 'b'), [['cursor', cursor, 'b']])
    assert.deepEqual(await statuses('--config', 'agent.json', '--server', 'a'), [['file', own, 'a']])
    assert.deepEqual(await statuses('--config', cursor), [['cursor', cursor, 'a,b']])
    const unknown = await home.tollgate('init', '--yes', '--server', 'c')
    assert.equal(unknown.code, 1)
    assert.match(unknown.stderr, /has a server called `c` \(server_unknown\)/)
    const missing = await home.tollgate('init', '--yes', '--config', 'none.json')
    assert.equal(missing.code, 1)
    assert.match(missing.stdout, /there is no such file \(config_unreadable\)/)
  })
})

/** The configurations among all files. */
function configsIn(contents: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(contents).filter(([name]) => /json(\.tollgate-backup-\d+)?$|\.yaml$/.test(name)),
  )
}
