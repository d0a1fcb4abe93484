/** `tollgate init` in a terminal: it asks which servers, shows the plan, and asks again before it changes anything. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, type TestContext, test } from 'node:test'
import { Home, main, memory, node, odd } from '../init/machine.ts'
import { keys, missing, onTerminal, type Shown } from '../init/pseudoTerminal.ts'

const { enter, space, down, left, controlC } = keys

function machine(context: TestContext): { readonly home: Home; readonly file: string; readonly text: string } {
  const home = new Home()
  context.after(() => home.remove())
  const server = { command: node, args: [memory], env: { API_KEY: 'sk-secret-1' } }
  const text = `${JSON.stringify({ mcpServers: { first: server, second: server } }, null, 2)}\n`
  return { home, file: home.put('.cursor/mcp.json', text), text }
}

function asked(
  home: Home,
  args: readonly string[],
  ...steps: readonly (readonly [string, ...(readonly string[])])[]
): Promise<Shown> {
  const env = { ...home.env, TERM: 'xterm-256color', COLUMNS: '200' }
  return onTerminal([node, main, 'init', ...args], steps, { cwd: home.project, env })
}

suite('tollgate init in a terminal', { skip: missing, concurrency: 2 }, () => {
  test('the servers that are chosen are wrapped after a yes, and --undo asks too', async (context) => {
    const { home, file, text } = machine(context)
    const done = await asked(home, [], ['Which servers', down, space, enter], ['A backup is made first', enter])
    assert.deepEqual([done.code, done.left], [0, []], done.shown)
    assert.match(done.shown, /first: (starting the server|tools\/list)/)
    assert.match(done.shown, /would wrap +first +9 tools, 3 held for approval/)
    assert.match(done.shown, /not chosen +second/)
    assert.match(done.shown, /Put a gate before 1 server in 1 configuration\?/)
    assert.match(done.shown, /wrapped +first[\s\S]*backup +.*tollgate-backup-1/)
    assert.doesNotMatch(done.shown, /sk-secret/)
    const { mcpServers } = JSON.parse(readFileSync(file, 'utf8'))
    assert.ok(mcpServers.first.args.includes('run'))
    assert.deepEqual(mcpServers.second, JSON.parse(text).mcpServers.second)
    const off = await asked(home, ['--undo'], ['Take the gate off 1 server', enter])
    assert.deepEqual([off.code, off.left], [0, []], off.shown)
    assert.equal(readFileSync(file, 'utf8'), text)
  })

  test('a no changes nothing and is no failure', async (context) => {
    const { home, file, text } = machine(context)
    const {
      code,
      left: waited,
      shown,
    } = await asked(home, [], ['Which servers', enter], ['A backup is made first', left, enter])
    assert.deepEqual([code, waited], [0, []], shown)
    assert.equal(readFileSync(file, 'utf8'), text)
    assert.ok(!existsSync(home.policies))
    assert.ok(!existsSync(`${file}.tollgate-backup-1`))
  })

  test('Ctrl-C at a question ends with 1, and says that nothing was changed', async (context) => {
    const { home, file, text } = machine(context)
    for (const steps of [
      [['Which servers', controlC]],
      [
        ['Which servers', enter],
        ['A backup is made first', controlC],
      ],
    ] as const) {
      const { code, left: waited, shown } = await asked(home, [], ...steps)
      assert.deepEqual([code, waited], [1, []], shown)
      assert.match(shown, /no configuration was changed \(init_interrupted\)/)
      assert.equal(readFileSync(file, 'utf8'), text)
    }
  })

  test('Ctrl-C while a server is scanned stops the server and changes nothing', async (context) => {
    const { home } = machine(context)
    const pids = join(home.root, 'pids')
    const config = { mcpServers: { silent: { command: node, args: [odd, 'silent', pids] } } }
    const file = home.put('.cursor/mcp.json', JSON.stringify(config))
    const {
      code,
      left: waited,
      shown,
    } = await asked(home, [], ['Which servers', enter], ['silent: starting the server', controlC])
    assert.deepEqual([code, waited], [1, []], shown)
    assert.match(shown, /\(scan_interrupted\)/)
    assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')), config)
    for (const pid of existsSync(pids) ? readFileSync(pids, 'utf8').trim().split('\n') : [])
      assert.throws(() => process.kill(Number(pid), 0))
  })

  test('--yes asks nothing, in a terminal either', async (context) => {
    const { home, file } = machine(context)
    const { code, shown } = await asked(home, ['--yes', '--server', 'first'])
    assert.equal(code, 0, shown)
    assert.doesNotMatch(shown, /Which servers/)
    assert.ok(JSON.parse(readFileSync(file, 'utf8')).mcpServers.first.args.includes('run'))
  })
})
