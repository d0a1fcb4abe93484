/** Flags, variables and the file of settings: which wins, what is wrong with any of them told at once, and the log they ask for. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { postFields, type ScriptedServer } from '../http/fixtures/gate.ts'
import { Folder, recordingServer } from '../identity/fixtures/serving.ts'
import { toolCall } from '../mcp/fixtures/scope.ts'

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const witness = fileURLToPath(new URL('../e2e/witness.mjs', import.meta.url))
const folder = new Folder()
let server: ScriptedServer

before(async () => {
  server = await recordingServer()
  folder.write('policy.yaml', 'version: "1"\ndefault: deny\ntools:\n  pay: {}\n')
})
after(async () => {
  await server[Symbol.asyncDispose]()
  folder[Symbol.dispose]()
})

type Variables = Readonly<Record<string, string>>

function tollgate(args: readonly string[], variables: Variables = {}) {
  const env = { ...process.env, ...variables }
  return spawnSync(process.execPath, [main, ...args], { cwd: folder.path, encoding: 'utf8', env })
}

/** A gate that listens, and all that it says. */
class Gate implements AsyncDisposable {
  readonly child: ChildProcess
  readonly lines: string[] = []
  url = ''

  private constructor(args: readonly string[], variables: Variables) {
    const env = { ...process.env, ...variables }
    this.child = spawn(process.execPath, [main, 'serve', ...args], { cwd: folder.path, env, stdio: 'pipe' })
  }

  static async start(args: readonly string[], variables: Variables = {}): Promise<Gate> {
    const gate = new Gate(args, variables)
    await new Promise<void>((resolve, reject) => {
      createInterface(gate.child.stderr as NodeJS.ReadableStream).on('line', (line) => {
        gate.lines.push(line)
        gate.url ||= /listening on ([^\s"]+)/.exec(line)?.[1] ?? ''
        if (gate.url !== '') resolve()
      })
      gate.child.once('exit', () => reject(new Error(gate.lines.join('\n'))))
    })
    return gate
  }

  async call(tool: string): Promise<unknown> {
    const body = JSON.stringify(toolCall(1, tool, { card: 'secret-argument' }))
    const answer = await fetch(this.url, { method: 'POST', body, headers: postFields })
    return answer.json()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode !== null) return
    const closed = once(this.child, 'close')
    this.child.kill('SIGTERM')
    await closed
  }
}

test('a command line that does not parse is told together with what is wrong with variables and settings', () => {
  folder.write('odd.yaml', 'polcy: p.yaml\nlog_level: loud\n')
  const args = ['serve', '--settings=odd.yaml', '--bogus', '--', 'cat', '--settings', 'none.yaml']
  const { status, stderr } = tollgate(args, { TOLLGATE_TIMEOUT: 'never' })
  assert.equal(status, 2)
  for (const said of [
    /unknown option '--bogus'/,
    /`\$TOLLGATE_TIMEOUT` must be a duration/,
    /odd\.yaml:1:1: unknown key `polcy`, did you mean `policy`\?/,
    /odd\.yaml:2:12: `log_level` must be/,
  ])
    assert.match(stderr, said)
  assert.doesNotMatch(stderr, /none\.yaml/)
  const help = tollgate(['serve', '--help', '--settings', 'odd.yaml'])
  assert.deepEqual([help.status, help.stderr], [0, ''])
})

test('a flag wins over its variable, and that over the file; files are found beside the settings', async () => {
  const settings = `
policy: policy.yaml
upstream: ${server.url.href}
listen: 0
agent: of-the-file
user: of-the-file
project: of-the-file
groups: [of-the-file]
ledger: ledger.db
`
  folder.write('gate.yaml', settings)
  const variables = {
    TOLLGATE_SETTINGS: 'gate.yaml',
    TOLLGATE_AGENT: 'of-the-variable',
    TOLLGATE_USER: 'of-the-variable',
    TOLLGATE_GROUPS: 'one,two',
    TOLLGATE_ALLOW_HOSTS: '',
  }
  await using gate = await Gate.start(['--agent', 'of-the-flag'], variables)
  await gate.call('pay')
  await gate[Symbol.asyncDispose]()
  const { principal } = folder.lastDecision()
  assert.deepEqual(principal, {
    agent: 'of-the-flag',
    user: 'of-the-variable',
    project: 'of-the-file',
    groups: ['one', 'two'],
  })
})

test('whoever names a policy or a server elsewhere means it in the place of what the file names', async () => {
  folder.write(
    'other.yaml',
    'layers: { org: nowhere.yaml }\ncommand: [nothing]\nlisten: 127.0.0.1:0\nledger: ":memory:"\n',
  )
  const variables = { TOLLGATE_UPSTREAM: server.url.href }
  await using gate = await Gate.start(['--settings', 'other.yaml', '-c', 'policy.yaml'], variables)
  assert.match(gate.url, /^http:\/\/127\.0\.0\.1:\d+\/mcp$/)
})

test('several servers and layers stand in the file by their names', async () => {
  const text = `layers: { org: policy.yaml, team: [policy.yaml] }\nupstream: { left: "${server.url.href}", right: "${server.url.href}" }\nlisten: 0\nledger: ":memory:"\n`
  folder.write('several.yaml', text)
  await using gate = await Gate.start(['--settings', 'several.yaml'])
  assert.match(gate.url, /\/left\/mcp$/)
  const checked = tollgate(['check', '--settings', 'several.yaml'])
  assert.deepEqual([checked.status, checked.stdout], [0, ''])
  assert.equal(checked.stderr, '1 file, 0 errors, 0 warnings\n')
})

const wrong = `policy: policy.yaml
layers: { "1a": policy.yaml }
listen: 127.0.0.1:99999
upstream: ftp://x
timeout: 5
allow_host: [gate.example]
admin: here
durability: forever
log_level: verbose
command: []
`

const places = [
  '2:1: `layers` does not go with `policy`: name one of them',
  '2:11: a name in `layers` has letters, digits, `_` and `-`, a letter first',
  '3:9: `listen` must be PORT or HOST:PORT, as in `127.0.0.1:8717`, got "127.0.0.1:99999"',
  '4:11: `upstream` must be the URL of an MCP server without user and password',
  '5:10: `timeout` must be a duration like `5m`, at most 1d, got `5`',
  '6:1: unknown key `allow_host`, did you mean `allow_hosts`?',
  '7:8: `admin` must be PORT, HOST:PORT or unix:PATH',
  '8:13: `durability` must be `process` or `power`, got "forever"',
  '9:12: `log_level` must be `debug`, `info`, `warn` or `error`, got "verbose"',
  '10:1: `command` does not go with `upstream`: name one of them',
  '10:10: `command` must be a list of a command and its arguments, got an empty list',
]

test('mistakes of flags, variables and the file are told at once, and nothing starts', () => {
  folder.write('wrong.yaml', wrong)
  const args = ['serve', '--settings', 'wrong.yaml', '--approval-wait', 'long', '--tls-cert', 'c.pem']
  const variables = {
    TOLLGATE_ADMIN_URL: 'approvals',
    TOLLGATE_LOG_FORMAT: 'yaml',
    TOLLGATE_ALLOW_ORIGINS: 'http://a,b',
  }
  const { status, stdout, stderr } = tollgate(args, variables)
  assert.equal(status, 2)
  assert.equal(stdout, '')
  for (const place of places) assert.ok(stderr.includes(`wrong.yaml:${place}`), `${place}\n${stderr}`)
  for (const sentence of [
    '`$TOLLGATE_ADMIN_URL` must be the address of a web page at its root',
    '`$TOLLGATE_LOG_FORMAT` must be `text` or `json`, got "yaml"',
    '`$TOLLGATE_ALLOW_ORIGINS` must be an origin like `https://example.com`, got "b"',
    '`--approval-wait` must be a duration like `2m`',
    '`--tls-cert` and `--tls-key` go together',
  ])
    assert.ok(stderr.includes(sentence), `${sentence}\n${stderr}`)
  assert.equal(stderr.trim().split('\n').length, places.length + 5, stderr)
})

test('`check --settings` tells the mistakes of the file with their places', () => {
  folder.write('wrong.yaml', wrong)
  const { status, stdout, stderr } = tollgate(['check', '--settings', 'wrong.yaml', 'policy.yaml'])
  assert.equal(status, 1)
  for (const place of places) assert.ok(stdout.includes(`wrong.yaml:${place}`), `${place}\n${stdout}`)
  assert.match(stderr, /2 files, 11 errors, 0 warnings/)
})

test('a variable that no option has is warned of, with the nearest that there is; those of Kubernetes are not', () => {
  const variables = {
    TOLLGATE_LISTN: '1',
    TOLLGATE_WHATEVER: 'x',
    TOLLGATE_SERVICE_HOST: 'h',
    TOLLGATE_PORT: 'tcp://h',
  }
  for (const command of ['run', 'serve']) {
    const { stderr } = tollgate([command], variables)
    assert.match(stderr, /warning: no option has the variable `\$TOLLGATE_LISTN`, did you mean `\$TOLLGATE_LISTEN`\?/)
    assert.match(stderr, /warning: no option has the variable `\$TOLLGATE_WHATEVER`\n/)
    assert.doesNotMatch(stderr, /KUBERNETES|SERVICE_HOST|TOLLGATE_PORT/)
  }
})

interface Line {
  readonly time: string
  readonly level: string
  readonly msg: string
}

const jsonLines = (text: string): readonly Line[] =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))

test('with `--log-format json` everything on stderr is JSON, one object a line, mistakes too', async () => {
  const args = ['-c', 'policy.yaml', '--upstream', server.url.href, '--listen', '0', '--ledger', ':memory:']
  await using gate = await Gate.start([...args, '--log-format', 'json'])
  await gate.call('pay')
  await gate[Symbol.asyncDispose]()
  const said = jsonLines(gate.lines.join('\n'))
  assert.deepEqual(
    said.map(({ level }) => level),
    said.map(() => 'info'),
  )
  for (const { time } of said) assert.equal(new Date(time).toISOString(), time)
  assert.match(said[0]?.msg ?? '', /^listening on http/)
  assert.match(said.at(-1)?.msg ?? '', /^ending/)
  assert.doesNotMatch(gate.lines.join('\n'), /secret-argument/)

  folder.write('bad.yaml', 'version: "1"\ndefault: allow\ntols: {}\n')
  const failed = jsonLines(tollgate(['serve', ...args, '-c', 'bad.yaml', '--log-format', 'json']).stderr)
  assert.ok(failed.length > 1)
  for (const { level } of failed) assert.equal(level, 'error')
  assert.equal((failed.at(-1) as Line & { code: string }).code, 'policy_invalid')
})

test('at `debug` each call and its end is a line with the id of its decision, and nothing of its arguments', async () => {
  const args = ['-c', 'policy.yaml', '--upstream', server.url.href, '--listen', '0', '--ledger', ':memory:']
  await using gate = await Gate.start([...args, '--log-level', 'debug'], { TOLLGATE_LOG_FORMAT: 'json' })
  await gate.call('pay')
  await gate.call('steal')
  await gate.call('st\u001beal')
  await gate[Symbol.asyncDispose]()
  const [paid, ended, stolen, odd, ...more] = gate.lines
    .map((line) => JSON.parse(line))
    .filter(({ level }) => level === 'debug')
  assert.deepEqual(more, [])
  const { decision_id, session, time, msg, ...rest } = paid
  assert.deepEqual(rest, {
    level: 'debug',
    server: '',
    method: 'tools/call',
    name: 'pay',
    decision: 'allow',
    reason_code: 'ALLOW',
    rule: 'pay',
  })
  assert.ok(time && session && msg.includes(decision_id))
  assert.deepEqual([ended.decision_id, ended.status], [decision_id, 'success'])
  assert.deepEqual([stolen.reason_code, odd.reason_code], ['TOOL_NOT_ALLOWED', 'MALFORMED_CALL'])
  assert.doesNotMatch(gate.lines.join('\n'), /secret-argument/)
})

test('a level leaves out what is less', () => {
  const args = ['run', '--log-level', 'error']
  assert.doesNotMatch(tollgate(args, { TOLLGATE_WHATEVER: 'x' }).stderr, /warning/)
})

test('`run` takes variables, and writes nothing but MCP to standard output', async () => {
  const variables = {
    TOLLGATE_POLICY: 'policy.yaml',
    TOLLGATE_LEDGER: ':memory:',
    TOLLGATE_LOG_FORMAT: 'json',
    TOLLGATE_WHATEVER: 'x',
  }
  const child = spawn(process.execPath, [main, 'run', '--', process.execPath, witness, `${folder.path}/witness.log`], {
    cwd: folder.path,
    env: { ...process.env, ...variables },
  })
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (chunk) => {
    stdout += chunk
    child.stdin.end()
  })
  child.stderr.on('data', (chunk) => {
    stderr += chunk
  })
  child.stdin.write(`${JSON.stringify(toolCall(7, 'other', {}))}\n`)
  await once(child, 'close')
  for (const line of stdout.trim().split('\n')) assert.equal(JSON.parse(line).jsonrpc, '2.0')
  assert.match(stdout, /"id":7/)
  assert.deepEqual(
    jsonLines(stderr).map(({ level }) => level),
    ['warn'],
  )
})
