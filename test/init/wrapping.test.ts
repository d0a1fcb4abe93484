/** The change itself: nothing but the start of a server, and off again to the byte. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { containers } from '../../src/init/clients.ts'
import { difference } from '../../src/init/difference.ts'
import { readText } from '../../src/init/document.ts'
import { type Entry, entriesOf } from '../../src/init/entries.ts'
import { secretArguments, shownArguments, withoutSecrets } from '../../src/init/secrets.ts'
import { undone } from '../../src/init/undo.ts'
import { headOf, wrap, wrappedEntries, wrappedOf } from '../../src/init/wrapping.ts'
import { fc } from '../random.ts'

const gate = { node: '/usr/bin/node', main: '/opt/tollgate/dist/cli/main.js', policy: '/p/a b.yaml' }

function entriesIn(text: string): readonly Entry[] {
  const read = readText(text)
  assert.ok(read.fault === undefined, `${read.fault?.message}\n${text}`)
  return entriesOf(read.document, containers)
}

/** As `init` does it: what is wrapped already is left alone. */
function wrapped(text: string): string {
  const wrappings = entriesIn(text).flatMap((entry) =>
    entry.kind === 'stdio' && !wrappedOf(entry.start)
      ? [{ start: entry.start, head: headOf({ ...gate, server: entry.name }) }]
      : [],
  )
  return wrap(text, wrappings)
}

function unwrapped(text: string, backups: readonly string[] = []): string {
  const read = readText(text)
  assert.ok(read.fault === undefined)
  return undone(read.document, containers, () => true, backups).text
}

const starts = (text: string) =>
  entriesIn(text).flatMap((entry) => (entry.kind === 'stdio' ? [[entry.start.command, ...entry.start.args]] : []))

const texts: Readonly<Record<string, string>> = {
  'one line': '{"mcpServers": {"a": {"command": "npx", "args": ["-y", "x"], "env": {"K": "v"}}}}',
  'no space at all': '{"mcpServers":{"a":{"command":"npx","args":["-y","x"]},"b":{"args":["z"],"command":"y"}}}',
  'two spaces': JSON.stringify({ mcpServers: { a: { command: 'npx', args: ['-y', 'x'] } } }, null, 2),
  tabs: JSON.stringify({ servers: { a: { type: 'stdio', command: 'npx', args: ['-y'] } } }, null, '\t'),
  'comments and trailing commas': `// mine
{
  /* servers */ "context_servers": {
    "a": {
      "command": "npx", // how
      "args": [
        // what
        "-y", /* yes */
        "x", // last
      ],
      "env": { "K": "v", },
    },
  },
}
`,
  'Windows line ends and a byte order mark':
    '\ufeff{\r\n\t"mcpServers": {\r\n\t\t"a": {\r\n\t\t\t"command": "cmd",\r\n\t\t\t"args": [\r\n\t\t\t\t"/c",\r\n\t\t\t\t"npx"\r\n\t\t\t]\r\n\t\t}\r\n\t}\r\n}\r\n',
  'odd spellings':
    '{"mcpServers": {"a b/c": {"args":["\\u0041\\/b", "C:\\\\Program Files\\\\x.exe"], "command" :  "n\\u0070x"}}}',
  'nothing in the list': '{"mcpServers": {"a": {"command": "x", "args": []}, "b": {"command": "x", "args": [ ]}}}',
  'a comment in the list': '{"mcpServers": {"a": {"command": "x", "args": [ // none\n ]}}}',
  'the old form of Zed':
    '{"context_servers": {"a": {"command": {"path": "/x", "args": ["run"], "env": {}}, "settings": {}}}}',
  'a server with two dashes of its own':
    '{"mcpServers": {"a": {"command": "npx", "args": ["x", "--", "--flag", "--"]}}}',
  'folders of Claude Code': JSON.stringify(
    { projects: { '/w': { mcpServers: { a: { command: 'x', args: ['y'] } } } } },
    null,
    2,
  ),
}

suite('wrapping', () => {
  for (const [name, text] of Object.entries(texts))
    test(`${name}: wrapped it starts the same server behind the gate, twice is once, and off is as before`, () => {
      const once = wrapped(text)
      const before = starts(text)
      const now = wrappedEntries(entriesIn(once))
      assert.deepEqual(
        now.map(({ wrapped: one }) => one.words),
        before,
      )
      for (const { entry, wrapped: one } of now) {
        assert.deepEqual(one.head, headOf({ ...gate, server: entry.name }))
        assert.ok(one.ours)
      }
      assert.equal(wrapped(once), once)
      assert.equal(unwrapped(once), text)
      assert.equal(once.includes('\r'), text.includes('\r'))
      assert.equal(/[^\r]\n/.test(once), /[^\r]\n/.test(text))
      assert.equal(once.startsWith('\ufeff'), text.startsWith('\ufeff'))
    })

  test('each word has a line of its own where the arguments have', () => {
    const text =
      '{\n  "mcpServers": {\n    "a": {\n      "command": "x",\n      "args": [\n        "y"\n      ]\n    }\n  }\n}'
    const lines = wrapped(text).split('\n')
    assert.equal(lines.length, text.split('\n').length + 9)
    assert.equal(lines[5], '        "--max-semi-space-size=2",')
    assert.equal(lines[13], '        "x",')
    assert.equal(lines[14], '        "y"')
  })

  test('a server without arguments gets some beside its command, and loses them by the backup', () => {
    for (const text of [
      '{"mcpServers":{"a":{"command":"x"}}}',
      '{\n  "mcpServers": {\n    "a": {\n      "command": "x", // why\n    }\n  }\n}',
      '{\r\n"mcpServers": { "a": { "command": "x" } }\r\n}',
    ]) {
      const once = wrapped(text)
      assert.deepEqual(starts(once), [[...headOf({ ...gate, server: 'a' }), 'x']])
      assert.equal(unwrapped(once, [text]), text)
      assert.deepEqual(starts(unwrapped(once)), [['x']])
    }
  })

  test('edited meanwhile, only our words go', () => {
    const text = texts['comments and trailing commas'] as string
    const edited = wrapped(text).replace('"x", // last', '"x", "more", // last').replace('// mine', '// mine, changed')
    const expected = text.replace('"x", // last', '"x", "more", // last').replace('// mine', '// mine, changed')
    assert.equal(unwrapped(edited, [text]), expected)
  })

  test('a comma that somebody has put behind our last word goes with it', () => {
    const text = '{"mcpServers": {"a": {"command": "x", "args": []}}}'
    assert.equal(unwrapped(wrapped(text).replace(/"x"\]/, '"x",]')), text)
  })

  test('of several backups the one counts that was wrapped last', () => {
    const first = '{"mcpServers": {"a": {"command": "x"}}}'
    const second = `${first.slice(0, -2)}, "b": {"command": "y"}}}`
    const grown = wrapped(first).replace(/\}\}$/, ', "b": {"command": "y"}}}')
    const both = wrapped(grown)
    const off = unwrapped(both, [grown, first])
    assert.deepEqual(starts(off), starts(second))
    assert.equal(unwrapped(wrapped(second), [grown, second, first]), second)
  })

  test('what was wrapped by hand is seen, and not taken off', () => {
    for (const start of [
      { command: 'tollgate', args: ['run', '-c', 'p.yaml', '--', 'npx', 'x'] },
      { command: '/usr/local/bin/tollgate', args: ['run', '-c', 'p.yaml', '--', 'npx', 'x'] },
      { command: 'C:\\npm\\tollgate.cmd', args: ['run', '-c', 'p.yaml', '--', 'npx', 'x'] },
      { command: 'npx', args: ['-y', 'tollgate', 'run', '-c', 'p.yaml', '--', 'npx', 'x'] },
      { command: 'node', args: ['/opt/tollgate/dist/cli/main.js', 'run', '-c', 'p.yaml', '--', 'npx', 'x'] },
    ]) {
      const text = JSON.stringify({ mcpServers: { a: start } })
      assert.equal(wrapped(text), text)
      assert.equal(unwrapped(text), text)
      assert.deepEqual(wrappedOf(start)?.words, ['npx', 'x'])
    }
  })

  test('what only looks like it is wrapped', () => {
    for (const start of [
      { command: 'npx', args: ['tollgate', '--', 'run'] },
      { command: 'npx', args: ['x', '--', 'tollgate', 'run', '--'] },
      { command: 'tollgate', args: ['run', '-c', 'p.yaml'] },
      { command: 'main.js', args: ['run', '--', 'x'] },
    ])
      assert.equal(wrappedOf(start), undefined, start.args.join(' '))
  })

  test('a server may be called `--`, and have one in its own arguments', () => {
    const text = JSON.stringify({ mcpServers: { '--': { command: 'npx', args: ['a', '--', 'b'] } } })
    const once = wrapped(text)
    assert.deepEqual(
      wrappedEntries(entriesIn(once)).map(({ wrapped: one }) => [one.words, one.ours]),
      [[['npx', 'a', '--', 'b'], true]],
    )
    assert.equal(wrapped(once), once)
  })

  test('any JSON, indented in any way, comes back to the byte', () => {
    const start = fc.record(
      {
        command: fc.string({ minLength: 1 }),
        args: fc.array(fc.string()),
        env: fc.dictionary(fc.string(), fc.string()),
      },
      { requiredKeys: ['command'] },
    )
    const config = fc.record({
      before: fc.jsonValue(),
      mcpServers: fc.dictionary(fc.string(), start),
      after: fc.jsonValue(),
    })
    const space = fc.constantFrom('', ' ', '  ', '\t')
    fc.assert(
      fc.property(config, space, fc.boolean(), (value, indent, windows) => {
        const plain = JSON.stringify(value, null, indent)
        const text = windows ? plain.replaceAll('\n', '\r\n') : plain
        const once = wrapped(text)
        assert.deepEqual(
          wrappedEntries(entriesIn(once)).map(({ wrapped: one }) => one.words),
          starts(text),
        )
        assert.equal(wrapped(once), once)
        assert.equal(unwrapped(once, ['{}', text]), text)
        assert.deepEqual(starts(unwrapped(once)), starts(text))
      }),
      { numRuns: 500 },
    )
  })
})

suite('what is shown', () => {
  const text = `{
  "token": "sk-0",
  // "OLD_KEY": "sk-1"
  "mcpServers": {
    "a": {
      "command": "npx",
      "args": ["-y", "x", "--token", "sk-2", "--api-key=sk-3", "postgres://me:sk-4@db/x", "API_TOKEN=sk-5"],
      "env": { "KEY": "sk-6" }
    },
    "b": { "url": "https://x.example/mcp?key=sk-7", "headers": { "Authorization": "Bearer sk-8" } }
  }
}
`
  test('no secret is in the difference, and the change is', () => {
    const diff = difference('/home/ada/mcp.json', text, wrapped(text), containers)
    assert.doesNotMatch(diff, /sk-\d/)
    assert.match(diff, /^-\s+"command": "npx",$/m)
    assert.match(diff, /^\+\s+"command": "\/usr\/bin\/node",$/m)
    assert.match(diff, /^--- \/home\/ada\/mcp\.json\n\+\+\+ \/home\/ada\/mcp\.json\n@@ /m)
    assert.match(diff, /"--token", "…", "--api-key=…", "postgres:\/\/…@db\/x", "API_TOKEN=…"/)
  })

  test('arguments are shown without what looks like a secret', () => {
    assert.deepEqual(shownArguments(['--keep', 'it', '-y']), ['--keep', 'it', '-y'])
    assert.deepEqual(shownArguments(['--password', 'x', '--auth-token', '--next']), [
      '--password',
      '…',
      '--auth-token',
      '--next',
    ])
  })

  test('what a server writes loses the secrets it was given', () => {
    assert.equal(withoutSecrets('bad key sk-12345 and sk-123', ['sk-123', 'sk-12345', 'a']), 'bad key … and …')
  })

  test('a secret that is a part of an argument is one by itself', () => {
    const args = [
      '--header',
      'Authorization: Bearer tok-1',
      '--api-key',
      'key-22',
      '--token=tok-3',
      'pg://ada:pass-4@db/x',
      'y',
    ]
    const written = 'tok-1, key-22, tok-3, pass-4, ada:pass-4, Bearer tok-1, y, db'
    assert.equal(withoutSecrets(written, secretArguments(args)), '…, …, …, …, …, …, y, db')
  })
})
