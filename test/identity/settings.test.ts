/** Settings and flags with mistakes: all of them at once, with their places; and who calls over stdio. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { digestOf } from '../../src/identity/apiKeys.ts'
import { Folder } from './fixtures/serving.ts'

const folder = new Folder()
after(() => folder[Symbol.dispose]())
folder.write('policy.yaml', 'version: "1"\ndefault: deny\ntools:\n  pay: {}\n')

const serve = (...args: readonly string[]) =>
  folder.tollgate(
    'serve',
    '-c',
    'policy.yaml',
    '--upstream',
    'http://127.0.0.1:9/mcp',
    '--listen',
    '127.0.0.1:0',
    '--ledger',
    ':memory:',
    ...args,
  )

test('every mistake of the settings is told at once, with its place', () => {
  const text = `identity:
  jwt:
    - issuer: a
      audience: g
      jwks: http://keys.example/jwks
      algorithms: [RS256, HS256]
      clock_skew: 10m
    - { issuer: b, jwks: k.json, user: a..b }
    - { issuer: b, audience: g, jwks: k.json, aud: x }
  kubernetes: { issuer: b, audience: g, jwks: k.json, scopes: [x] }
  certificate: { agent: subject.cn }
  trusted_header: { from: [everywhere, 10.0.0.0/99], project: Authorization }
tsl: {}
tls: { cert: c.pem }
public_url: https://a.example/mcp
credentials:
  srv: { bearer_file: a, headers_file: b }
`
  folder.write('wrong.yaml', text)
  const { status, stderr } = serve('--settings', 'wrong.yaml')
  assert.equal(status, 1)
  const told = [
    '5:13: `jwks` must be a file, or an `https:` URL (`http:` only of this machine), got "http://keys.example/jwks"',
    '6:27: each of `algorithms` must be ',
    '7:19: `clock_skew` must be a duration like `30m`, `1h30m` or `2d`, from 0s to 5m',
    '8:7: `audience` is missing: say for whom tokens must be',
    '8:40: a dot in a path stands between two names',
    '9:17: the issuer `b` stands here twice, first on line 8',
    '9:47: unknown key `aud`, an issuer has',
    '10:25: the issuer `b` stands here twice, first on line 8',
    '10:55: unknown key `scopes`',
    '11:3: `certificate` needs `client_ca` under `tls`',
    '11:25: `agent` must be ',
    '12:19: `trusted_header` names the header of an `agent` or of a `user`',
    '12:28: ',
    '12:40: ',
    '12:63: `project` must be the name of a header',
    '13:1: unknown key `tsl`, did you mean `tls`?',
    '14:6: `key` is missing: name the file of the key',
    '15:13: `public_url` must be the scheme and the name',
    '17:3: `srv` has one of `bearer_file`, `bearer_env` and `headers_file`',
  ]
  const lines = stderr.split('\n').filter((line) => line.includes('wrong.yaml:'))
  for (const [index, sentence] of told.entries())
    assert.ok(
      lines[index]?.replace(/^tollgate: /, '').startsWith(`wrong.yaml:${sentence}`),
      `${lines[index]}\nand not ${sentence}`,
    )
  assert.equal(lines.length, told.length)
  assert.match(stderr, /\(settings_invalid\)/)
})

const flags: readonly { readonly args: readonly string[]; readonly says: RegExp; readonly status?: number }[] = [
  { args: ['--jwt-issuer', 'a'], says: /`--jwt-issuer`, `--jwt-audience` and `--jwks` go together/ },
  {
    args: ['--jwt-issuer', 'a', '--jwt-audience', 'b', '--jwks', 'ftp://x/y'],
    says: /`--jwks` takes a file, or an `https:` URL/,
  },
  { args: ['--tls-cert', 'a'], says: /`--tls-cert` and `--tls-key` go together/ },
  { args: ['--client-ca', 'a'], says: /`--client-ca` needs both/ },
  { args: ['--public-url', 'gate.example'], says: /`--public-url` takes a scheme and a name/ },
  { args: ['--api-keys', 'k.yaml', '--agent', 'bot'], says: /`--agent` \(or its variable\) says who all callers are/ },
  { args: ['--upstream-bearer-file', 'other=t'], says: /no server behind the gate is called `other`/ },
  { args: ['--upstream-bearer-file', 't', '--upstream-header-file', 't'], says: /has two credentials: name one/ },
  { args: ['--settings', 'none.yaml'], says: /none\.yaml:1:1: there is no such file \(settings_invalid\)/, status: 1 },
  { args: ['--api-keys', 'none.yaml'], says: /`none\.yaml`: there is no such file \(secret_unreadable\)/, status: 1 },
  {
    args: ['--upstream-bearer-file', 'two.token'],
    says: /must hold one token and nothing else \(credential_invalid\)/,
    status: 1,
  },
  {
    args: ['--upstream-header-file', 'bad.headers'],
    says: /bad\.headers:1:1: must be a header.*\n.*bad\.headers:2:1: `host` is a header of the gate's own.*\n.*bad\.headers:4:1: `x-a` stands there twice/,
    status: 1,
  },
  { args: ['--tls-cert', 'two.token', '--tls-key', 'two.token'], says: /make no TLS: .*\(tls_invalid\)/, status: 1 },
  {
    args: ['--jwt-issuer', 'a', '--jwt-audience', 'b', '--jwks', 'two.token'],
    says: /`two\.token` is no JSON \(jwks_invalid\)/,
    status: 1,
  },
  {
    args: ['--jwt-issuer', 'a', '--jwt-audience', 'b', '--jwks', 'odd.json'],
    says: /`odd\.json` has something among its `keys` that is none \(jwks_invalid\)/,
    status: 1,
  },
  { args: ['--group', 'a\nb'], says: /who calls cannot be so: `groups` holds a control character/ },
]

folder.write('two.token', 'one two\n')
folder.write('odd.json', '{"keys":[7]}')
folder.write('bad.headers', 'no header\nHost: a\nX-A: 1\nx-a: 2\n')

for (const { args, says, status = 2 } of flags)
  test(`\`serve ${args.join(' ').replace('\n', ' ')}\` says what is wrong`, () => {
    const answer = serve(...args)
    assert.match(answer.stderr, says)
    assert.equal(answer.status, status)
    assert.doesNotMatch(answer.stderr, /no header\b/)
  })

test('a server that is a command is shown no credential', () => {
  const says = /a server that is a command is shown no credential/
  for (const command of ['run', 'serve']) {
    const args = [command, '-c', 'policy.yaml', '--upstream-bearer-file', 't', '--', 'true']
    assert.match(folder.tollgate(...args).stderr, says)
  }
})

test('a new key is printed once, with the entry of its digest', () => {
  const { status, stdout } = folder.tollgate(
    'keys',
    'new',
    '--id',
    'ci',
    '--user',
    'ada',
    '--group',
    'a, b',
    '--expires',
    '90d',
  )
  assert.equal(status, 0)
  const key = /^tgk_[A-Za-z0-9_-]{43}$/m.exec(stdout)?.[0] ?? ''
  assert.ok(stdout.includes(`sha256: "${digestOf(key)}"`))
  assert.match(stdout, /groups: \["a, b"\]/)
  const nobody = folder.tollgate('keys', 'new', '--id', 'ci')
  assert.equal(nobody.status, 2)
  assert.match(nobody.stderr, /a key names who calls with it/)
})

test('the file of keys says where the key itself stands, and does not say it', () => {
  folder.write('keys.yaml', 'keys:\n  - { id: a, sha256: tgk_abc, agent: x }\n')
  const { stderr } = serve('--api-keys', 'keys.yaml')
  assert.match(stderr, /keys\.yaml:2:22: `sha256` must be .*, and not the key itself/)
  assert.doesNotMatch(stderr, /tgk_abc/)
})
