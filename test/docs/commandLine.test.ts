/** What the command line says of itself, and how it ends: 0 fine, 1 wrong, 2 not understood. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Command } from 'commander'
import { program } from '../../src/cli/program.ts'
import { runProgram } from '../../src/cli/runCommand.ts'
import { version } from '../../src/runtime/version.ts'
import { missing, onTerminal } from '../init/pseudoTerminal.ts'

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'tollgate-command-line-'))
after(() => rmSync(folder, { recursive: true }))

const place = (name: string) => join(folder, name)
writeFileSync(place('good.yaml'), 'version: "1"\ndefault: deny\ntools:\n  pay: { rules: [] }\n')
writeFileSync(place('mistaken.yaml'), 'version: "1"\ndefault: deny\ntools:\n  pay: { rulez: [] }\n')

function tollgate(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
    cwd: folder,
    encoding: 'utf8',
    input: '',
    timeout: 60_000,
  })
  return { code: status, stdout, stderr }
}

function commandsUnder(parent: Command): readonly Command[] {
  return parent.commands.flatMap((command) => [command, ...commandsUnder(command)])
}

test('every command, option and argument says what it is for', () => {
  for (const command of [program, ...commandsUnder(program)]) {
    assert.ok(command.description(), command.name())
    for (const { flags, description } of command.options) assert.ok(description, `${command.name()} ${flags}`)
    for (const argument of command.registeredArguments)
      assert.ok(argument.description, `${command.name()} ${argument.name()}`)
  }
})

test('help is asked for on stdout with 0, and given unasked on stderr with 2', () => {
  const asked = tollgate('--help')
  assert.deepEqual([asked.code, asked.stderr], [0, ''])
  for (const command of program.commands) assert.match(asked.stdout, new RegExp(`^  ${command.name()} `, 'm'))
  assert.deepEqual(tollgate('-h'), asked)
  assert.deepEqual(tollgate('help'), asked)
  assert.deepEqual(tollgate(), { code: 2, stdout: '', stderr: asked.stdout })
})

test('each command has a help of its own, which names its environment variables', () => {
  for (const command of program.commands) {
    const { code, stdout, stderr } = tollgate(command.name(), '--help')
    assert.deepEqual([code, stderr], [0, ''])
    assert.ok(stdout.startsWith(`Usage: tollgate ${command.name()} ${command.usage()}\n`), stdout)
  }
  assert.deepEqual(tollgate('help', 'audit', 'verify'), tollgate('audit', 'verify', '--help'))
  const { stdout } = tollgate('help', 'run')
  for (const name of ['TOLLGATE_AGENT', 'TOLLGATE_USER', 'TOLLGATE_PROJECT', 'TOLLGATE_LEDGER'])
    assert.ok(stdout.includes(name), name)
})

test('`run`, for which no other command is loaded, is the one that stands among them', () => {
  const alone = runProgram()
  assert.deepEqual(
    alone.commands.map((command) => command.name()),
    ['run'],
  )
  const among = program.commands.find((command) => command.name() === 'run')
  assert.equal(alone.commands[0]?.helpInformation(), among?.helpInformation())
  assert.deepEqual(
    [alone.name(), alone.description(), alone.version()],
    [program.name(), program.description(), version],
  )
})

test('every help ends with examples, of commands and options that exist', () => {
  for (const command of [program, ...commandsUnder(program)]) {
    const path = [...ancestors(command), command].map((one) => one.name())
    const [, shown = ''] = /\n\nExamples?:\n((?: {2}.*\n)+)$/.exec(helpOf(command)) ?? []
    assert.notEqual(shown, '', `${path.join(' ')}: has no example in src/cli/examples.ts`)
    for (const line of shown.trimEnd().split('\n')) {
      const [own = ''] = (/(tollgate .*)/.exec(line)?.[1] ?? '').replace(/\)$/, '').split(/ -- | > | < /)
      const words = own.split(' ').slice(1)
      let named = program
      for (const word of words) named = named.commands.find((one) => one.name() === word) ?? named
      assert.ok(named === command || command.commands.length > 0, line)
      for (const flag of words.filter((word) => /^--?[a-z]/.test(word)))
        assert.ok(
          named.options.some(({ short, long }) => flag === short || flag === long),
          `${line}: ${flag}`,
        )
    }
  }
})

/** As it is written when it is asked for, with what is added behind it. */
function helpOf(command: Command): string {
  let written = ''
  command.configureOutput({ writeOut: (text) => (written += text) }).outputHelp()
  return written
}

function ancestors({ parent }: Command): readonly Command[] {
  return parent ? [...ancestors(parent), parent] : []
}

test('who waits at a terminal is told what is waited for', { skip: missing }, async () => {
  const gate = [process.execPath, main, 'run', '-c', 'good.yaml', '--ledger', ':memory:', '--', 'cat']
  const judge = [process.execPath, main, 'eval', '-c', 'good.yaml']
  const options = { cwd: folder, env: process.env }
  const run = await onTerminal(gate, [['waiting for an MCP client on standard input', '\u0003']], options)
  assert.deepEqual(run.left, [], run.shown)
  const judged = await onTerminal(judge, [['until Ctrl-D', '\u0004']], options)
  assert.deepEqual([judged.left, judged.code], [[], 0], judged.shown)
})

test('the version is that of the package', () => {
  for (const flag of ['-V', '--version'])
    assert.deepEqual(tollgate(flag), { code: 0, stdout: `${version}\n`, stderr: '' })
})

const misunderstood: readonly { readonly args: readonly string[]; readonly says: RegExp }[] = [
  { args: ['chekc'], says: /^tollgate: unknown command 'chekc'\n\(Did you mean check\?\)\n/ },
  { args: ['frobnicate'], says: /^tollgate: unknown command 'frobnicate'\n/ },
  { args: ['--frobnicate'], says: /^tollgate: unknown option '--frobnicate'\n/ },
  { args: ['check'], says: /^tollgate: the policy files are missing/ },
  { args: ['check', '--fromat', 'json', 'good.yaml'], says: /'--fromat'\n\(Did you mean --format\?\)\n/ },
  {
    args: ['check', '--format', 'xml', 'good.yaml'],
    says: /'xml' is invalid\. Allowed choices are text, json, sarif\.\n/,
  },
  { args: ['compile', 'good.yaml'], says: /required option '-o, --output <dir>' not specified\n/ },
  { args: ['eval'], says: /^tollgate: the policy is missing: .*`-c FILE`.*`--layer NAME=FILE` \(usage\)$/ },
  { args: ['eval', '-c', 'good.yaml', '--layer', 'org=good.yaml'], says: /`-c` and `--layer` do not go together/ },
  { args: ['eval', '--layer', 'good.yaml'], says: /`--layer` takes NAME=FILE/ },
  { args: ['eval', '-c'], says: /option '-c, --config <file>' argument missing\n/ },
  { args: ['eval', '-c', 'good.yaml', 'calls.jsonl'], says: /too many arguments for 'eval'.*\n/ },
  { args: ['run', '--', 'cat'], says: /^tollgate: the policy is missing: / },
  { args: ['run', '-c', 'good.yaml'], says: /^tollgate: the server to wrap is missing: .*`--`.*`--upstream`/ },
  { args: ['run', '-c', 'good.yaml', '--'], says: /^tollgate: the server to wrap is missing: / },
  { args: ['run', '-c', 'good.yaml', '--upstream', 'http://localhost:1/', '--', 'cat'], says: /: not both \(usage\)$/ },
  { args: ['run', '-c', 'good.yaml', '--upstream', 'localhost:1'], says: /`--upstream` takes the URL/ },
  {
    args: ['serve', '-c', 'good.yaml', '--upstream', 'http://localhost:1/', '--', 'cat'],
    says: /: not both \(usage\)$/,
  },
  { args: ['audit', 'verfy'], says: /^tollgate: unknown command 'verfy'\n\(Did you mean verify\?\)\n/ },
  { args: ['help', 'nope'], says: /^tollgate: unknown command 'nope'\n/ },
  { args: ['help', 'chekc'], says: /^tollgate: unknown command 'chekc'\n\(Did you mean check\?\)\n/ },
  { args: ['help', 'audit', 'verfy'], says: /^tollgate: unknown command 'verfy'\n\(Did you mean verify\?\)\n/ },
  { args: ['help', 'check', 'more'], says: /^tollgate: unknown command 'more'\n/ },
]

for (const { args, says } of misunderstood) {
  test(`\`tollgate ${args.join(' ')}\` ends with 2 and says why`, () => {
    const { code, stdout, stderr } = tollgate(...args)
    assert.match(stderr.trimEnd(), says)
    assert.deepEqual([code, stdout], [2, ''])
    if (!stderr.endsWith('(usage)\n')) assert.match(stderr, /\nUsage: (tollgate.*) .*\n`\1.* --help` says more\.\n$/)
  })
}

const ended: readonly { readonly args: readonly string[]; readonly code: number; readonly says: RegExp }[] = [
  { args: ['check', 'good.yaml'], code: 0, says: /^1 file, 0 errors, 0 warnings$/ },
  { args: ['check', 'mistaken.yaml'], code: 1, says: /^1 file, 1 error, 0 warnings$/ },
  { args: ['check', 'nowhere.yaml'], code: 1, says: /^1 file, 1 error, 0 warnings$/ },
  { args: ['eval', '-c', 'good.yaml'], code: 0, says: /^$/ },
  {
    args: ['eval', '-c', 'mistaken.yaml'],
    code: 1,
    says: /`rulez`.*\ntollgate: `mistaken\.yaml` has mistakes \(policy_invalid\)$/,
  },
  { args: ['eval', '-c', 'nowhere.yaml'], code: 1, says: /^tollgate: `nowhere\.yaml`: .* \(policy_unreadable\)$/ },
  { args: ['eval', '-c', 'good.yaml', '--calls', 'nowhere'], code: 1, says: /\(calls_unreadable\)$/ },
  { args: ['run', '-c', 'mistaken.yaml', '--', 'cat'], code: 1, says: /\(policy_invalid\)$/ },
  { args: ['run', '-c', 'good.yaml', '--ledger', ':memory:', '--', './nowhere'], code: 1, says: /\(spawn_failed\)$/ },
  { args: ['audit', '--ledger', 'nowhere.db'], code: 1, says: /nowhere\.db.*\(ledger_unavailable\)$/ },
]

for (const { args, code, says } of ended) {
  test(`\`tollgate ${args.join(' ')}\` ends with ${code}`, () => {
    const ran = tollgate(...args)
    assert.match(ran.stderr.trimEnd(), says)
    assert.equal(ran.code, code)
  })
}

/** Runs something under a Node that says it is another version. */
function under(node: string, ...args: readonly string[]) {
  const pretend = `Object.defineProperty(process,'versions',{value:{...process.versions,node:'${node}'}})`
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', `data:text/javascript,${pretend}`, ...args],
    { encoding: 'utf8' },
  )
  return { status, stdout, stderr }
}

test('an older Node is told by its version', () => {
  const { engines } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  assert.equal(engines.node, '>=22.19')
  for (const node of ['20.20.2', '22.18.0']) {
    const stderr = `tollgate: Node.js 22.19 or newer is needed, this is ${node}\n`
    assert.deepEqual(under(node, main, '--version'), { status: 1, stdout: '', stderr })
  }
  for (const node of ['22.19.0', '24.0.0']) assert.equal(under(node, main, '--version').status, 0, node)
})

test('the library tells an older Node too, before it looks at anything else', () => {
  const index = JSON.stringify(new URL('../../src/index.ts', import.meta.url).href)
  const code = `
    const { openGate, TollgateError } = await import(${index})
    await openGate({}).catch((error) => console.log(error instanceof TollgateError, error.code, error.message))`
  const { stdout, stderr } = under('20.20.2', '--input-type=module', '-e', code)
  assert.equal(stdout, 'true node_unsupported Node.js 22.19 or newer is needed, this is 20.20.2\n', stderr)
})

test('a mistake that nobody reads is still a mistake', async () => {
  const child = spawn(process.execPath, [main, 'check', 'mistaken.yaml'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  child.stdout.destroy()
  assert.deepEqual(await once(child, 'exit'), [1, null])
})

test('a full disk behind standard output is one sentence', { skip: !existsSync('/dev/full') }, () => {
  const full = openSync('/dev/full', 'w')
  for (const args of [
    ['check', 'mistaken.yaml'],
    ['completion', 'bash'],
  ]) {
    const { status, stderr } = spawnSync(process.execPath, [main, ...args], {
      cwd: folder,
      encoding: 'utf8',
      stdio: ['ignore', full, 'pipe'],
    })
    assert.match(stderr, /^tollgate: standard output cannot be written: ENOSPC.* \(output_unwritable\)$/m)
    assert.doesNotMatch(stderr, /\n {4}at /)
    assert.equal(status, 1)
  }
  closeSync(full)
})

test('a client that stops reading ends `run`, and the server with it, however long that would live', async () => {
  writeFileSync(
    place('stubborn.mjs'),
    `process.on('SIGTERM', () => {})
     setInterval(() => process.stdout.write(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/message' }) + '\\n'), 50)
     process.stderr.write('pid ' + process.pid + '\\n')`,
  )
  const args = ['run', '-c', 'good.yaml', '--ledger', ':memory:', '--', process.execPath, 'stubborn.mjs']
  const gate = spawn(process.execPath, [main, ...args], { cwd: folder, stdio: 'pipe' })
  let stderr = ''
  gate.stderr.on('data', (chunk) => {
    stderr += chunk
  })
  const exited = once(gate, 'exit')
  await once(gate.stdout, 'data')
  gate.stdout.destroy()
  assert.deepEqual(await exited, [0, null], stderr)
  const pid = Number(/pid (\d+)/.exec(stderr)?.[1])
  await sleep(100)
  assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' })
})
