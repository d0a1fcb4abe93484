/** `tollgate init` where something is in its way: it says what, and leaves alone what it cannot do right. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { requireLasting } from '../../src/cli/initGate.ts'
import { entryOf, json, partOf, reportsIn, server } from '../init/configs.ts'
import { machine, memory, odd } from '../init/machine.ts'

suite('tollgate init in trouble', { concurrency: 2 }, () => {
  test('without a terminal it wants its answers as flags, and says which', async (context) => {
    const home = machine(context)
    const file = home.put('.cursor/mcp.json', json({ mcpServers: { memory: server(memory) } }))
    const before = readFileSync(file)
    for (const args of [[], ['--undo'], ['--json'], ['--json', '--undo']]) {
      const { code, stdout, stderr } = await home.tollgate('init', ...args)
      assert.deepEqual([code, stdout], [2, ''])
      assert.match(stderr, /`--yes`.*`--dry-run`.*\(usage\)/)
    }
    assert.deepEqual(readFileSync(file), before)
    const wrong: readonly (readonly string[])[] = [
      ['--yes', '--timeout', 'soon'],
      ['--client', 'emacs', '--yes'],
      ['--client', 'cursor', '--config', 'x', '--yes'],
      ['--yes', '--dry-run'],
      ['--undo', '--policy', 'x', '--yes'],
      ['--yes', 'x'],
    ]
    for (const args of wrong) assert.equal((await home.tollgate('init', ...args)).code, 2, args.join(' '))
  })

  test('a server that does not start is told with its last words and without its secrets, and its entry stays', async (context) => {
    const home = machine(context)
    const dies = home.put('dies.mjs', 'console.error("no key", process.env.API_KEY, process.argv[2]); process.exit(3)')
    const file = home.put(
      '.cursor/mcp.json',
      json({
        mcpServers: {
          dies: { ...server(dies, '--token=sk-secret-2'), env: { API_KEY: 'sk-secret-1' } },
          gone: { command: 'no-such-server', env: { API_KEY: 'sk-secret-1' } },
          nowhere: { ...server(memory), cwd: '/no/such/folder' },
          silent: server(odd, 'silent'),
          good: server(memory),
        },
      }),
    )
    const before = partOf(file, 'mcpServers')
    const { code, stdout, stderr } = await home.tollgate('init', '--yes', '--timeout', '2s')
    assert.equal(code, 1)
    assert.match(stderr, /dies: no key … …/)
    assert.doesNotMatch(stdout + stderr, /sk-secret/)
    assert.match(stdout, /failed +dies +.*it ended before.*\(scan_failed\)/)
    assert.match(stdout, /failed +gone +cannot start `no-such-server`.*\(spawn_failed\)/)
    assert.match(stdout, /failed +nowhere +its folder `\/no\/such\/folder` is not there \(spawn_failed\)/)
    assert.match(stdout, /failed +silent +.*\(scan_timeout\)/)
    assert.match(stdout, /wrapped +good +/)
    assert.ok(entryOf(file, 'mcpServers', 'good').args.includes('run'))
    assert.deepEqual({ ...partOf(file, 'mcpServers'), good: 0 }, { ...before, good: 0 })
    assert.deepEqual(readdirSync(join(home.policies, 'cursor')), ['good.yaml'])
  })

  test('a file that is no JSON is told with its place and left alone, and the others go on', async (context) => {
    const home = machine(context)
    const malformed = '{\n  "mcpServers": {\n    "memory": { "command": "node" "args": [] }\n  }\n}\n'
    const file = home.put('.cursor/mcp.json', malformed)
    home.put('.config/zed/settings.json', Buffer.from([0x7b, 0xff, 0x7d]))
    home.put('.codeium/windsurf/mcp_config.json', json({ mcpServers: { memory: server(memory) } }))
    const { code, stdout } = await home.tollgate('init', '--yes')
    assert.equal(code, 1)
    assert.ok(stdout.includes(`${file}:3:35: comma expected (config_malformed)`), stdout)
    assert.match(stdout, /settings\.json:1:1: it is not UTF-8 \(config_malformed\)/)
    assert.match(stdout, /wrapped +memory/)
    assert.equal(readFileSync(file, 'utf8'), malformed)
    assert.ok(!existsSync(`${file}.tollgate-backup-1`))
  })

  test('a file that changes while the servers are scanned is left as it is', async (context) => {
    const home = machine(context)
    const file = join(home.home, '.cursor/mcp.json')
    const edited = json({ mcpServers: {}, edited: true })
    const meddler = home.put(
      'meddler.mjs',
      `
      import { writeFileSync } from 'node:fs'
      writeFileSync(${JSON.stringify(file)}, ${JSON.stringify(edited)})
      await import(${JSON.stringify(memory)})`,
    )
    home.put('.cursor/mcp.json', json({ mcpServers: { meddler: server(meddler) } }))
    const { code, stdout } = await home.tollgate('init', '--yes')
    assert.equal(code, 1)
    assert.match(stdout, /failed +meddler +.*was changed meanwhile.*\(config_changed\)/)
    assert.equal(readFileSync(file, 'utf8'), edited)
    assert.deepEqual(
      readdirSync(join(home.home, '.cursor')).filter((name) => name.endsWith('.tmp')),
      [],
    )
  })

  test('what hides in the words of a server is told', async (context) => {
    const home = machine(context)
    home.put('.cursor/mcp.json', json({ mcpServers: { odd: server(odd, 'errors') } }))
    const { stdout } = await home.tollgate('init', '--dry-run', '--json')
    const warnings = reportsIn(stdout).flatMap(({ servers }) => servers.flatMap((one) => one.warnings ?? []))
    assert.ok(
      warnings.some((warning) => warning.includes('text that is not seen')),
      stdout,
    )
    const { stdout: text } = await home.tollgate('init', '--dry-run')
    assert.match(text, /warning +.*text that is not seen/)
  })

  test('a Tollgate in a cache that may be emptied is put before no server', () => {
    assert.throws(() => requireLasting('/home/ada/.npm/_npx/1f/node_modules/tollgate/dist/cli/main.js'), {
      code: 'not_installed',
    })
    assert.throws(() => requireLasting('C:\\npm\\_npx\\1f\\main.js'), { code: 'not_installed' })
    requireLasting('/usr/local/lib/node_modules/tollgate/dist/cli/main.js')
  })

  test('where no client is, it says where it has looked', async (context) => {
    const home = machine(context)
    const { code, stdout, stderr } = await home.tollgate('init', '--yes')
    assert.deepEqual([code, stdout], [0, ''])
    for (const part of ['.claude.json', '.cursor/mcp.json', 'Code/User/mcp.json', 'zed/settings.json'])
      assert.ok(stderr.includes(join(home.home, part.startsWith('.') ? part : `.config/${part}`)), part)
  })
})
