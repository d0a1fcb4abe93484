/** `tollgate check`: what it prints for people, editors and code scanning, and how it ends. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { z } from 'zod'
import { checkFile, checkPolicy } from '../../src/cli/checkFile.ts'
import { sarifLog } from '../../src/cli/checkSarif.ts'
import { diagnosticText, excerpt } from '../../src/cli/checkText.ts'
import { CompileError } from '../../src/compile/errors.ts'
import { diagnosticCodes } from '../../src/policy/codes.ts'
import type { Diagnostic } from '../../src/policy/diagnostics.ts'
import { version } from '../../src/runtime/version.ts'

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'tollgate-check-'))
after(() => rmSync(folder, { recursive: true }))

const place = (name: string) => join(folder, name)
const head = 'version: "1"\ndefault: deny\n'
mkdirSync(place('policies'))
writeFileSync(place('good.yaml'), `${head}tools:\n  pay: {}\n`)
writeFileSync(place('spelling.yaml'), `${head}tools:\n  pay: { rulez: [] }\nrisk_level: hgh\n`)
writeFileSync(place('policies/a [b](c) 50%.yaml'), `${head}tools:\n  pay: { rules: [{ name: "[a](b)", rate: 1 }] }\n`)
writeFileSync(place('loose.yaml'), `${head}tools:\n  pay: { rules: [{ spend: { per_call: 50, daily: 10 } }] }\n`)

function tollgate(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 60_000,
  })
  return { code: status, stdout, stderr }
}

test('every mistake of every file is shown at once, with its line, what is wrong in it and what was meant', () => {
  const { code, stdout, stderr } = tollgate('check', 'spelling.yaml', 'good.yaml', 'nowhere.yaml', 'policies')
  assert.equal(
    stdout,
    `spelling.yaml:4:10: unknown key \`rulez\`, did you mean \`rules\`?
 4 |   pay: { rulez: [] }
   |          ^^^^^
   |          rules

spelling.yaml:5:13: \`risk_level\` must be \`low\`, \`medium\`, \`high\` or \`critical\`, got "hgh", did you mean \`high\`?
 5 | risk_level: hgh
   |             ^^^
   |             high

nowhere.yaml:1:1: there is no such file

policies:1:1: it is a directory, name the files in it

`,
  )
  assert.deepEqual([code, stderr], [1, '4 files, 4 errors, 0 warnings\n'])
})

test('what `docs/ci.md` gives to editors reads what is printed', () => {
  const page = readFileSync(new URL('../../docs/ci.md', import.meta.url), 'utf8')
  const [, written = ''] = /`(\^.*?\$)` as a `problemMatcher`/.exec(page) ?? []
  // As it stands in JSON.
  const matcher = new RegExp(JSON.parse(`"${written}"`))
  const read = (file: string) => matcher.exec(tollgate('check', file).stdout.split('\n', 1)[0] ?? '')?.slice(1)
  assert.deepEqual(read('spelling.yaml'), [
    'spelling.yaml',
    '4',
    '10',
    undefined,
    'unknown key `rulez`, did you mean `rules`?',
  ])
  assert.deepEqual(read('loose.yaml')?.slice(0, 4), ['loose.yaml', '4', '39', 'warning'])
})

test('a file that is named twice is checked once', () => {
  assert.equal(tollgate('check', 'good.yaml', 'good.yaml').stderr, '1 file, 0 errors, 0 warnings\n')
})

test('a warning leaves the exit code, unless it is asked to count', () => {
  const relaxed = tollgate('check', 'loose.yaml')
  assert.match(relaxed.stdout, /^loose\.yaml:4:39: warning: `per_call` never binds/)
  assert.deepEqual([relaxed.code, relaxed.stderr], [0, '1 file, 0 errors, 1 warning\n'])
  assert.deepEqual(tollgate('check', '--strict', 'loose.yaml'), { ...relaxed, code: 1 })
  assert.equal(tollgate('check', '--strict', 'good.yaml').code, 0)
})

test('json is one array, with the end of each mistake and the word that was meant', () => {
  const { code, stdout, stderr } = tollgate('check', '--format', 'json', 'spelling.yaml')
  assert.deepEqual([code, stderr], [1, ''])
  assert.deepEqual(JSON.parse(stdout)[0], {
    file: 'spelling.yaml',
    line: 4,
    col: 10,
    endLine: 4,
    endCol: 15,
    severity: 'error',
    code: 'unknown_key',
    message: 'unknown key `rulez`, did you mean `rules`?',
    suggestion: 'rules',
  })
  assert.equal(tollgate('check', '--format', 'json', 'good.yaml').stdout, '[]\n')
  assert.equal(tollgate('check', '--json', 'spelling.yaml').stdout, stdout)
})

const schemaFile = new URL(
  '../../node_modules/@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json',
  import.meta.url,
)
// Zod takes a reference, which may be relative, for a whole address.
const schemaText = readFileSync(schemaFile, 'utf8').replaceAll('"format": "uri-reference"', '"minLength": 1')
const sarif = z.fromJSONSchema(JSON.parse(schemaText))

function assertSarif(log: unknown): void {
  const { error } = sarif.safeParse(log)
  assert.equal(error && z.prettifyError(error), undefined)
}

test('sarif is what its schema asks for, and has what code scanning needs', () => {
  const odd = 'policies/a [b](c) 50%.yaml'
  const { code, stdout, stderr } = tollgate('check', '--format', 'sarif', 'spelling.yaml', odd, 'loose.yaml', 'nowhere')
  assert.deepEqual([code, stderr], [1, ''])
  const log = JSON.parse(stdout)
  assertSarif(log)
  const [{ tool, results, columnKind }] = log.runs
  assert.deepEqual([log.runs.length, log.version, columnKind], [1, '2.1.0', 'utf16CodeUnits'])
  assert.deepEqual([tool.driver.name, tool.driver.semanticVersion], ['Tollgate', version])
  const rules: { id: string }[] = tool.driver.rules
  assert.deepEqual(
    rules.map(({ id }) => id),
    Object.keys(diagnosticCodes),
  )
  for (const { ruleId, ruleIndex } of results) assert.equal(rules[ruleIndex]?.id, ruleId)
  assert.deepEqual(
    results.map(({ ruleId, level }: { ruleId: string; level: string }) => `${level} ${ruleId}`),
    ['error unknown_key', 'error wrong_value', 'error unknown_key', 'warning never_binds', 'error unreadable'],
  )
  const at = (index: number) => results[index].locations[0].physicalLocation
  assert.deepEqual(at(0), {
    artifactLocation: { uri: 'spelling.yaml', uriBaseId: '%SRCROOT%' },
    region: { startLine: 4, startColumn: 10, endLine: 4, endColumn: 15 },
  })
  assert.equal(at(2).artifactLocation.uri, 'policies/a%20%5Bb%5D(c)%2050%25.yaml')
  assert.deepEqual(results[0].fixes[0].artifactChanges[0].replacements, [
    { deletedRegion: at(0).region, insertedContent: { text: 'rules' } },
  ])
  assert.deepEqual(at(4).region, { startLine: 1, startColumn: 1 })
})

test('sarif without a mistake is a run without results', () => {
  const log = JSON.parse(tollgate('check', '--format', 'sarif', 'good.yaml').stdout)
  assertSarif(log)
  assert.deepEqual(log.runs[0].results, [])
})

test('the schema of sarif would notice', () => {
  const { stdout } = tollgate('check', '--format', 'sarif', 'spelling.yaml')
  for (const [good, spoilt] of [
    ['"name": "Tollgate"', '"nam": "Tollgate"'],
    ['"level": "error"', '"level": "fatal"'],
    ['"startLine": 4', '"startLine": 0'],
    ['"message": {', '"mesage": {'],
    ['"uri": "spelling.yaml"', '"uri": ""'],
  ] as const) {
    assert.ok(stdout.includes(good), good)
    assert.ok(!sarif.safeParse(JSON.parse(stdout.replace(good, spoilt))).success, spoilt)
  }
})

const mistake: Diagnostic = { file: 'a.yaml', line: 1, col: 1, severity: 'error', code: 'wrong_value', message: 'x' }

test('in sarif a file outside of the folder has its whole address, and no word of a file becomes a link', () => {
  const log = sarifLog([{ ...mistake, file: '/elsewhere/a b.yaml', message: 'got [here](http://x)' }], {
    version: '1.0.0',
    folder,
  })
  assertSarif(log)
  const [{ message, locations }] = JSON.parse(JSON.stringify(log)).runs[0].results
  assert.deepEqual(locations[0].physicalLocation.artifactLocation, { uri: pathToFileURL('/elsewhere/a b.yaml').href })
  assert.equal(message.text, 'got \\[here](http://x)')
})

const marked = (line: string, start: number, end: number, width = 40) => {
  const { shown, before, marked } = excerpt(line, start, end, width)
  return [shown, `${' '.repeat(before)}${'^'.repeat(marked)}`]
}

test('what is underlined stands under what is wrong, whatever is before it', () => {
  assert.deepEqual(marked('a: bad', 3, 6), ['a: bad', '   ^^^'])
  assert.deepEqual(marked('\tbad\tx', 1, 4), ['    bad x', '    ^^^'])
  assert.deepEqual(marked('ab\tbad', 3, 6), ['ab  bad', '    ^^^'])
  assert.deepEqual(marked('支払い: bad', 5, 8), ['支払い: bad', '        ^^^'])
  assert.deepEqual(marked('👛ｶe\u0301: bad', 7, 10), ['👛ｶe\u0301: bad', '      ^^^'])
  assert.deepEqual(marked('a\u202eb: bad', 5, 8), ['a\\u202eb: bad', '          ^^^'])
  assert.deepEqual(marked('\u001b[31mx', 5, 6), ['\\u001b[31mx', '          ^'])
  assert.deepEqual(marked('a:', 2, 3), ['a:', '  ^'])
  assert.deepEqual(marked('a: 支払', 3, 5), ['a: 支払', '   ^^^^'])
})

test('of a long line the part around the mistake is shown', () => {
  const long = `${'a'.repeat(1_000_000)} bad ${'b'.repeat(1_000_000)}`
  assert.deepEqual(marked(long, 1_000_001, 1_000_004), [
    '...aaaaaaaaaaaaaaaa bad bbbbbbbbbbbbb...',
    '                    ^^^',
  ])
})

test('whatever is marked, nothing is wider than there is room, and the mark is within', () => {
  const line =
    '支払い\t👛 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa": {x: 1, y: [2, 3], zzzzzzzzzzzzzzzzzzzzzzzzzzzzz: 0}'
  for (let start = 0; start < line.length; start++)
    for (const end of [start + 1, start + 9, line.length]) {
      const { shown, before, marked } = excerpt(line, start, end, 40)
      assert.ok(before + marked <= 40 && [...shown].length <= 40 && marked > 0, `${start} ${end}: ${shown}`)
    }
})

test('colours are of the terminal alone: without one, and with NO_COLOR, there are none', {
  skip: process.platform !== 'linux',
}, () => {
  const paint = (colour: string, text: string) => `<${colour}>${text}</>`
  const text = diagnosticText({ ...mistake, endLine: 1, endCol: 4, suggestion: 'good' }, ['bad: 1'], {
    width: 80,
    paint,
  })
  assert.equal(
    text,
    '<red>a.yaml:1:1: x</>\n<dim> 1 |</> bad: 1\n<dim>   |</> <red>^^^</>\n<dim>   |</> <green>good</>',
  )
  assert.ok(!tollgate('check', 'spelling.yaml').stdout.includes('\u001b'))
  const onTerminal = (env: Record<string, string>) =>
    spawnSync('script', ['-qec', `'${process.execPath}' '${main}' check spelling.yaml`, '/dev/null'], {
      cwd: folder,
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], TERM: 'xterm', ...env },
    })
  const coloured = onTerminal({})
  if (coloured.error) return
  assert.ok(coloured.stdout.startsWith('\u001b[31mspelling.yaml:4:10: '), coloured.stdout)
  assert.ok(!onTerminal({ NO_COLOR: '1' }).stdout.includes('\u001b['))
})

test('a policy that does not compile is told with the line of its rule, beside its warnings', async () => {
  const failing = async () => {
    const rego = [{ file: 'tools/0000-pay.rego', row: 1_000, col: 1, code: 'rego_type_error', message: 'no' }]
    throw new CompileError('compile_failed', 'no', { diagnostics: rego })
  }
  const { diagnostics } = await checkFile(place('loose.yaml'), { compile: failing })
  assert.deepEqual(
    diagnostics.map(({ line, severity, code, message }) => [line, severity, code, message]),
    [
      [4, 'warning', 'never_binds', diagnostics[0]?.message],
      [4, 'error', 'uncompiled', 'this does not compile: no (compile_failed)'],
    ],
  )
})

test('a compiler that cannot be had is no mistake of the first line in particular, and an error all the same', async () => {
  const { diagnostics } = await checkFile(place('good.yaml'), {
    compile: async () => {
      throw new CompileError('compiler_unavailable', 'gone')
    },
  })
  assert.deepEqual(diagnostics, [
    {
      file: place('good.yaml'),
      line: 1,
      col: 1,
      severity: 'error',
      code: 'uncompiled',
      message: 'this does not compile: gone (compiler_unavailable)',
    },
  ])
})

test('what is no trouble of the file is not told as one', async () => {
  const broken = async () => {
    throw new TypeError('a mistake of ours')
  }
  await assert.rejects(checkFile(place('good.yaml'), { compile: broken }), TypeError)
})

const modern = fileURLToPath(new URL('../scan/fixtures/modernServer.ts', import.meta.url))
writeFileSync(
  place('bank.yaml'),
  `${head}tools:
  pya: {}
  bank/pay:
    rules:
      - arguments: { amount: { max: 5 }, curency: { enum: [GBP] }, currency: { enum: [GBP, EUR] } }
`,
)

test('a policy is compared with a server: what it lacks is a warning', () => {
  const command = ['--', process.execPath, modern, '--strict', '--']
  const { code, stdout, stderr } = tollgate('check', 'bank.yaml', '--server', 'bank', ...command)
  assert.deepEqual([code, stderr], [0, '1 file, 0 errors, 3 warnings\n'])
  assert.deepEqual(
    stdout.split('\n').filter((line) => line.startsWith('bank.yaml')),
    [
      'bank.yaml:4:3: warning: the server has no tool `pya`, did you mean `pay`?',
      'bank.yaml:7:42: warning: `bank/pay` has no argument `curency`, did you mean `currency`?',
      'bank.yaml:7:68: warning: `currency` of `bank/pay` is never "EUR"',
    ],
  )
  const lists = tollgate('scan', '--json', '-o', 'lists.json', '--', process.execPath, modern)
  assert.equal(lists.code, 0, lists.stderr)
  assert.deepEqual(tollgate('check', '--lists', 'lists.json', '--server', 'bank', 'bank.yaml'), {
    code,
    stdout,
    stderr,
  })
  assert.equal(tollgate('check', '--strict', '--lists', 'lists.json', 'bank.yaml').code, 1)
  assert.equal(
    tollgate('check', '--lists', 'lists.json', 'bank.yaml').stderr,
    '1 entry is about a server by its name and not compared: say with `--server` which one this is\n1 file, 0 errors, 1 warning\n',
  )
})

test('a server that cannot be asked is an error, behind what is wrong with the files', () => {
  const { code, stdout, stderr } = tollgate('check', 'spelling.yaml', '--', './nowhere')
  assert.match(stdout, /^spelling\.yaml:4:10: /)
  assert.match(stderr, /^1 file, 2 errors, 0 warnings\ntollgate: cannot start `\.\/nowhere`: .* \(spawn_failed\)\n$/)
  assert.equal(code, 1)
  assert.equal(tollgate('check', 'good.yaml', '--', './nowhere').code, 1)
})

test('what is asked for in two ways, or not at all, is not understood', () => {
  writeFileSync(place('empty.json'), '{}')
  for (const [args, code, says] of [
    [['--', process.execPath, modern], 2, /the policy files are missing/],
    [['good.yaml', '--lists', 'x.json', '--', 'cat'], 2, /`--lists` and a command after `--` are two/],
    [['good.yaml', '--lists', 'x.json', '--server', 'a/b'], 2, /`--server` must be a name/],
    [['good.yaml', '--lists', 'x.json'], 1, /`x\.json` cannot be read: ENOENT.*\(lists_unreadable\)/],
    [['good.yaml', '--lists', 'good.yaml'], 1, /cannot be read: .*\(lists_unreadable\)/],
    [['good.yaml', '--lists', 'empty.json'], 1, /is not what `tollgate scan --json` writes \(lists_unreadable\)/],
    [['good.yaml', '--timeout', 'soon', '--', 'cat'], 2, /`--timeout` must be a duration/],
  ] as const) {
    const ended = tollgate('check', ...args)
    assert.match(ended.stderr, says)
    assert.equal(ended.code, code)
  }
})

writeFileSync(
  place('first.yaml'),
  'rules:\n  - { name: reads, match: { type: "read_*" }, approval: auto }\n  - { name: cheap, match: { type: pay }, conditions: { param_lt: { amount: 100 } } }\n',
)
writeFileSync(
  place('second.yaml'),
  'rules:\n  - { name: mail, match: { type: read_mail }, approval: block }\n  - { name: cheaper, match: { type: pay }, conditions: { param_lt: { amount: 10 } } }\n',
)
writeFileSync(place('all.yaml'), `${head}tools:\n  "pay*": { rules: [{ action: deny }] }\n`)
writeFileSync(
  place('added.yaml'),
  `${head}tools:\n  pay_out: { rules: [{ arguments: { path: { prefix: /work/ } } }] }\n  "*": { rules: [{ rate_limit: 9/day }] }\n`,
)

test('merged files are checked as the one policy that they are: each thing is told in its file', () => {
  assert.equal(tollgate('check', 'first.yaml', 'second.yaml').stdout, '')
  const merged = tollgate('check', '-c', 'first.yaml', '-c', 'second.yaml')
  assert.equal(
    merged.stdout,
    `second.yaml:2:5: warning: \`mail\` is never asked: \`reads\` on line 2 of \`first.yaml\` matches all its calls
 2 |   - { name: mail, match: { type: read_mail }, approval: block }
   |     ^

second.yaml:3:5: warning: \`cheaper\` decides nothing: \`cheap\` on line 3 of \`first.yaml\` matches every call that it matches
 3 |   - { name: cheaper, match: { type: pay }, conditions: { param_lt: { amount: 10 } } }
   |     ^

`,
  )
  assert.deepEqual([merged.code, merged.stderr], [0, '2 files, 0 errors, 2 warnings\n'])
  const { stdout } = tollgate('check', '--format', 'json', '-c', 'all.yaml', '-c', 'added.yaml')
  assert.deepEqual(
    JSON.parse(stdout).map(({ file, line, code }: Diagnostic) => `${file}:${line} ${code}`),
    ['added.yaml:4 unreachable', 'added.yaml:4 escapable_prefix'],
  )
})

test('what holds of a file alone is not said of a part of a policy', () => {
  writeFileSync(place('defaults.yaml'), 'version: "1"\ndefaults: { approval: auto }\nrules: []\n')
  writeFileSync(place('binds.yaml'), `${head}tools:\n  "*": { rules: [{ rate_limit: 9/day }] }\n`)
  assert.match(tollgate('check', 'defaults.yaml', 'binds.yaml').stderr, /2 warnings/)
  assert.match(tollgate('check', '-c', 'defaults.yaml', '-c', 'first.yaml').stderr, /0 warnings/)
  assert.match(tollgate('check', '-c', 'good.yaml', '-c', 'binds.yaml').stderr, /0 warnings/)
})

test('what keeps files from being one policy is an error in the file that is added', () => {
  const clash = tollgate('check', '-c', 'good.yaml', '-c', 'first.yaml', '-c', 'spelling.yaml')
  assert.match(clash.stdout, /^spelling\.yaml:4:10: unknown key/)
  const kinds = tollgate('check', '-c', 'good.yaml', '-c', 'first.yaml')
  assert.match(kinds.stdout, /^first\.yaml:1:1: `good\.yaml` decides by rules that must all pass and this file by/)
  const twice = tollgate('check', '-c', 'good.yaml', '-c', 'nowhere.yaml', '-c', './good.yaml')
  assert.match(
    twice.stdout,
    /^nowhere\.yaml:1:1: there is no such file\n\n\.\/good\.yaml:1:1: this is `good\.yaml`, which/,
  )
  assert.deepEqual([clash.code, kinds.code, twice.code], [1, 1, 1])
})

test('layers are checked each for itself, and whether they can stand together', () => {
  const ended = tollgate(
    'check',
    '--layer',
    'org=good.yaml',
    '--layer',
    'team=first.yaml',
    '--layer',
    'team=second.yaml',
  )
  assert.deepEqual([ended.code, ended.stderr], [0, '3 files, 0 errors, 2 warnings\n'])
  writeFileSync(place('one.yaml'), `${head}policy_id: p\ntools:\n  pay: { rules: [{ rate_limit: 1/day }] }\n`)
  const shared = tollgate('check', '--layer', 'org=one.yaml', '--layer', 'team=one.yaml')
  assert.match(shared.stderr, /^2 files, 0 errors, 0 warnings\ntollgate: layers `org` and `team` are both policy `p`/)
  assert.equal(shared.code, 1)
  assert.deepEqual(tollgate('check', 'good.yaml', '-c', 'one.yaml').code, 2)
})

test('a merged policy that does not compile is told in the file of its rule', async () => {
  const rego = [{ file: 'tools/0001-pay_out.rego', row: 1_000, col: 1, code: 'rego_type_error', message: 'no' }]
  const { files, policy } = await checkPolicy([place('good.yaml'), place('added.yaml')], {
    compile: async () => {
      throw new CompileError('compile_failed', 'no', { diagnostics: rego })
    },
  })
  assert.equal(policy, undefined)
  const told = files.flatMap(({ diagnostics }) => diagnostics.filter(({ code }) => code === 'uncompiled'))
  assert.deepEqual(
    told.map(({ file, line }) => [file, line]),
    [[place('added.yaml'), 5]],
  )
})
