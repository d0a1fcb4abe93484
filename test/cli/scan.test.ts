/** `tollgate scan` as a person runs it: real servers of both eras, and servers that misbehave. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import {
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, suite, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { judge, parsed } from '../scan/judge.ts'

const project = fileURLToPath(new URL('../..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'tollgate-scan-'))
after(() => rmSync(folder, { recursive: true }))

const everything = join(project, 'node_modules/@modelcontextprotocol/server-everything/dist/index.js')
const filesystem = join(project, 'node_modules/@modelcontextprotocol/server-filesystem/dist/index.js')
const memory = join(project, 'node_modules/@modelcontextprotocol/server-memory/dist/index.js')
const modern = join(project, 'test/scan/fixtures/modernServer.ts')
const odd = join(project, 'test/scan/fixtures/oddServer.ts')

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** `interruptWhen` says, of a file that a server writes, when Ctrl-C is pressed. */
function tollgate(args: readonly string[], interruptWhen?: string): Promise<Ended> {
  const child = spawn(process.execPath, [join(project, 'src/cli/main.ts'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const texts = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const)
    child[name].on('data', (chunk) => {
      texts[name] += chunk
    })
  const waiting = setInterval(() => {
    if (interruptWhen === undefined || !existsSync(interruptWhen)) return
    clearInterval(waiting)
    child.kill('SIGINT')
  }, 50)
  return new Promise((resolve) => {
    child.on('close', (code) => {
      clearInterval(waiting)
      resolve({ code, ...texts })
    })
  })
}

function scanOdd(mode: string, options: readonly string[] = [], pids?: string): Promise<Ended> {
  const server = [process.execPath, odd, mode, ...(pids === undefined ? [] : [pids])]
  return tollgate(['scan', ...options, '--', ...server])
}

/** Also false for what has ended and was not collected: that happens to orphans where nobody is there to do it. */
function runs(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  const state = `/proc/${pid}/stat`
  return !existsSync(state) || !/\) Z /.test(readFileSync(state, 'utf8'))
}

/** Every server that was started is gone. */
function assertStopped(pids: string): void {
  const started = readFileSync(pids, 'utf8').trim().split('\n').map(Number)
  assert.ok(started.length > 0)
  assert.deepEqual(started.filter(runs), [])
}

const servers: readonly (readonly [name: string, args: readonly string[], protocol: string])[] = [
  ['filesystem', [filesystem, folder], '2025-11-25'],
  ['memory', [memory], '2025-11-25'],
  ['everything', [everything], '2025-11-25'],
  ['modern', [modern], '2026-07-28'],
]

// Most of the time is spent waiting for servers to start and to end.
suite('tollgate scan', { concurrency: 4 }, () => {
  for (const [name, args, protocol] of servers)
    test(`the policy of the server ${name} passes check, lists every tool, and holds what its hints do not speak for`, async () => {
      const file = join(folder, `${name}.yaml`)
      const server = ['--', process.execPath, ...args]
      const [written, listed] = await Promise.all([
        tollgate(['scan', '-o', file, ...server]),
        tollgate(['scan', '--json', ...server]),
      ])
      assert.equal(written.code, 0, written.stderr)
      assert.equal(written.stdout, '')
      const checked = await tollgate(['check', file])
      assert.deepEqual([checked.code, checked.stdout], [0, ''], checked.stderr)
      const lists = JSON.parse(listed.stdout)
      assert.equal(lists.server.protocol_version, protocol)
      assert.ok(lists.tools.length > 0)
      const policy = parsed(readFileSync(file, 'utf8'))
      assert.equal(policy.entries.length, lists.tools.length)
      for (const { name: tool, annotations: hints = {} } of lists.tools) {
        const held = hints.readOnlyHint !== true && hints.destructiveHint !== false
        assert.equal(judge(policy, { name: tool }).decision, held ? 'hold' : 'allow', tool)
      }
      assert.match(written.stderr, new RegExp(`lists ${lists.tools.length} tools:`))
      assert.match(written.stderr, /tollgate check .*\n {2}tollgate run -c .* -- /)
    })

  test('tools that a server shows only to able clients are listed too', async () => {
    const { stdout } = await tollgate(['scan', '--json', '--', process.execPath, everything])
    const names = JSON.parse(stdout).tools.map((tool: { readonly name: string }) => tool.name)
    assert.ok(names.includes('trigger-sampling-request'))
    assert.ok(names.includes('get-roots-list'))
  })

  test('a server that never answers ends with the time limit in the error, and is stopped', async () => {
    const modes = ['silent', 'halfway'].map(async (mode) => {
      const pids = join(folder, `${mode}.pids`)
      const { code, stdout, stderr } = await scanOdd(mode, ['--timeout', '6s'], pids)
      assert.equal(code, 1)
      assert.equal(stdout, '')
      assert.match(stderr, /the server had not given its lists after 6s: .*--timeout.*\(scan_timeout\)/)
      assertStopped(pids)
    })
    await Promise.all(modes)
  })

  test('a server that ignores the end of its input and SIGTERM is killed', async () => {
    const pids = join(folder, 'stubborn.pids')
    const { code } = await scanOdd('stubborn', [], pids)
    assert.equal(code, 0)
    assertStopped(pids)
  })

  test('what the command started is stopped with it, and does not keep the scan waiting', async () => {
    const pids = join(folder, 'wrapped.pids')
    const wrapped = '"$0" "$1" stubborn "$2"; true'
    const { code, stdout } = await tollgate(['scan', '--', 'sh', '-c', wrapped, process.execPath, odd, pids])
    assert.equal(code, 0)
    parsed(stdout)
    assertStopped(pids)
  })

  test('an old server that ends when it is asked for its era is started again, and not asked', async () => {
    const { code, stdout, stderr } = await scanOdd('diesProbed')
    assert.equal(code, 0, stderr)
    assert.deepEqual(
      parsed(stdout).entries.map(({ key }) => key),
      ['look'],
    )
  })

  test('an interrupted scan stops the server and writes nothing', async () => {
    const pids = join(folder, 'interrupted.pids')
    const file = join(folder, 'interrupted.yaml')
    const { code, stderr } = await tollgate(['scan', '-o', file, '--', process.execPath, odd, 'silent', pids], pids)
    assert.equal(code, 1)
    assert.match(stderr, /interrupted, the server is stopped \(scan_interrupted\)/)
    assert.equal(existsSync(file), false)
    assertStopped(pids)
  })

  test('a server that ends too early is told with what it wrote to stderr, without its escape sequences', async () => {
    const { code, stderr } = await scanOdd('dies')
    assert.equal(code, 1)
    assert.match(stderr, /^server: cannot open \\u001b\[31mthe database\\u001b\[0m\ntollgate: .* \(scan_failed\)\n$/)
  })

  test('a command that is not there is said to be so', async () => {
    const { code, stderr } = await tollgate(['scan', '--', join(folder, 'nothing')])
    assert.equal(code, 1)
    assert.match(stderr, /cannot start `.*nothing`: there is no such command \(spawn_failed\)/)
  })

  test('what a server writes to stderr is shown when it is asked for, and not otherwise', async () => {
    const args = ['--', process.execPath, everything]
    const [loud, quiet] = await Promise.all([tollgate(['scan', '--verbose', ...args]), tollgate(['scan', ...args])])
    assert.match(loud.stderr, /^server: Starting default \(STDIO\) server/m)
    assert.doesNotMatch(quiet.stderr, /^server: /m)
    assert.equal(loud.stdout, quiet.stdout)
  })

  test('pages without end are read up to a limit, and the policy says so', async () => {
    const limits = {
      endless: /at most 2000 items are read/,
      circle: /lead in a circle/,
      slowPages: /at most 200 pages/,
    }
    for (const [mode, said] of Object.entries(limits)) {
      const { code, stdout, stderr } = await scanOdd(mode)
      assert.equal(code, 0, stderr)
      assert.match(stderr, said)
      assert.match(stdout, /^# WARNING: `tools\/list` was not read to its end, what it would still list is denied/m)
      parsed(stdout)
    }
  })

  test('an answer that is too large is an error that says so', async () => {
    const { code, stderr } = await scanOdd('flood')
    assert.equal(code, 1)
    assert.match(stderr, /exceeded maximum size.*\(scan_failed\)/)
  })

  test('tools that change while they are listed are listed again', async () => {
    const { stdout } = await scanOdd('changes', ['--json'])
    assert.equal(JSON.parse(stdout).tools.length, 2)
  })

  test('what is no tool is left out with a warning, and the others are listed', async () => {
    const { stdout, stderr } = await scanOdd('malformed')
    assert.deepEqual(
      parsed(stdout).entries.map(({ key }) => key),
      ['good'],
    )
    assert.match(stderr, /warning: 4 tools without a name left out/)
  })

  test('lists that fail are told, and the tools still make a policy', async () => {
    const { code, stdout, stderr } = await scanOdd('errors')
    assert.equal(code, 0)
    assert.deepEqual(
      parsed(stdout).entries.map(({ key }) => key),
      ['look'],
    )
    assert.match(stderr, /`prompts\/list` could not be read: no \\u\{202e\}prompts\/list/)
  })

  test('lines of a server that are no messages are passed over', async () => {
    const { code, stdout } = await scanOdd('garbage')
    assert.equal(code, 0)
    assert.deepEqual(
      parsed(stdout).entries.map(({ key }) => key),
      ['look'],
    )
  })

  test('a server without tools gets a policy that allows nothing', async () => {
    const { code, stdout } = await scanOdd('bare')
    assert.equal(code, 0)
    assert.deepEqual(parsed(stdout).entries, [])
  })

  test('JSON keeps every character of the server and shows none that cannot be seen', async () => {
    const { stdout } = await scanOdd('plain', ['--json'])
    assert.equal(JSON.parse(stdout).server.name, 'odd\u200bserver')
    assert.doesNotMatch(stdout, /\u200b/)
  })

  test('with the name of a server the policy is for it alone', async () => {
    const { stdout, stderr } = await scanOdd('plain', ['--server', 'bank'])
    const policy = parsed(stdout)
    assert.equal(judge(policy, { name: 'look', server: 'bank' }).decision, 'allow')
    assert.equal(judge(policy, { name: 'look', server: 'other' }).decision, 'deny')
    assert.match(stderr, /tollgate run -c policy\.yaml --server bank -- /)
  })

  test('a file that is there is not replaced unless told so, and then as a whole', async () => {
    const own = mkdtempSync(join(folder, 'kept-'))
    const file = join(own, 'policy.yaml')
    writeFileSync(file, 'mine')
    const refused = await scanOdd('plain', ['-o', file])
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, /is there already: replace it with `--force`.*\(output_exists\)/)
    assert.equal(readFileSync(file, 'utf8'), 'mine')
    const replaced = await scanOdd('plain', ['-o', file, '--force'])
    assert.equal(replaced.code, 0)
    parsed(readFileSync(file, 'utf8'))
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.endsWith('.tmp')),
      [],
    )
  })

  test('a link is followed to the file that is replaced', async () => {
    const [file, link] = [join(folder, 'target.yaml'), join(folder, 'link.yaml')]
    writeFileSync(file, 'mine')
    symlinkSync(file, link)
    assert.equal((await scanOdd('plain', ['-o', link])).code, 1)
    assert.equal((await scanOdd('plain', ['-o', link, '--force'])).code, 0)
    assert.ok(lstatSync(link).isSymbolicLink())
    parsed(readFileSync(file, 'utf8'))
  })

  test('what cannot be written is refused before the server is started', async () => {
    const pids = join(folder, 'unstarted.pids')
    for (const file of [folder, '/dev/null', join(folder, 'nowhere', 'policy.yaml')]) {
      const { code, stderr } = await scanOdd('plain', ['-o', file, '--force'], pids)
      assert.equal(code, 1)
      assert.match(stderr, /\(output_unwritable\)/, file)
    }
    assert.equal(existsSync(pids), false)
  })

  test('a command line that makes no sense ends with 2 and says what would', async () => {
    const wrong: readonly (readonly [args: readonly string[], said: RegExp])[] = [
      [[], /missing required argument 'cmd'/],
      [['--timeout', 'soon', '--', 'x'], /`--timeout` must be a duration like `30s`/],
      [['--timeout', '0s', '--', 'x'], /`--timeout` must be a duration/],
      [['--timeout', '2h', '--', 'x'], /at most 1h/],
      [['--server', 'a/b', '--', 'x'], /`--server` must be a name as policies have it: it has a `\/`/],
      [['--server', 'a*', '--', 'x'], /`--server` must be a name/],
    ]
    for (const [args, said] of wrong) {
      const { code, stderr } = await tollgate(['scan', ...args])
      assert.equal(code, 2, stderr)
      assert.match(stderr, said)
    }
  })

  test('a wrapped server starts without the client that scans: nothing of it is loaded', () => {
    const hook = 'registerHooks({load(url,how,next){process.stderr.write(url+"\\n");return next(url,how)}})'
    const loader = `data:text/javascript,import{registerHooks}from"node:module";${hook}`
    const args = [
      '--import',
      loader,
      join(project, 'src/cli/main.ts'),
      'run',
      '-c',
      join(folder, 'none.yaml'),
      '--',
      'x',
    ]
    const { stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
    assert.match(stderr, /src\/cli\/run\.ts[\s\S]*policy_unreadable/)
    assert.doesNotMatch(stderr, /@modelcontextprotocol|src\/scan|src\/cli\/completion/)
  })
})
