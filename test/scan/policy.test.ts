/** The policy of a scan: valid whatever the server lists, and no looser than the hints it goes by. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { compilePolicy } from '../../src/bundle/build.ts'
import type { Scan } from '../../src/scan/definition.ts'
import { type PolicyOptions, startingPolicy } from '../../src/scan/policy.ts'
import { hasUnseen } from '../../src/scan/visible.ts'
import { fc, tries } from '../random.ts'
import { hostileNames, hostileScan } from './hostile.ts'
import { judge, parsed } from './judge.ts'

function scanOf(lists: Partial<Scan>): Scan {
  return { server: {}, tools: [], resources: [], resourceTemplates: [], prompts: [], unfinished: [], ...lists }
}

function policyOf(tools: readonly unknown[], options?: PolicyOptions): string {
  return startingPolicy(scanOf({ tools }), options).text
}

const readOnly = { readOnlyHint: true }
const strictness = ['allow', 'hold', 'deny'] as const
type Decision = (typeof strictness)[number]

/** The rows of the table in the specification: ToolAnnotations, with what it says of absent hints. */
function decisionByHints(annotations: unknown): Decision {
  const hints = (annotations ?? {}) as Record<string, unknown>
  return hints['readOnlyHint'] === true || hints['destructiveHint'] === false ? 'allow' : 'hold'
}

/** What the names of policies cannot mean alone. */
function listable(name: string, server?: string): boolean {
  if (name === '' || name.length > 512 || /[*?]/.test(name) || name.trim() !== name || hasUnseen(name)) return false
  return server !== undefined || (!name.startsWith('/') && name.indexOf('/') !== name.length - 1) || !name.includes('/')
}

interface ListedTool {
  readonly name: string
  readonly annotations?: unknown
}

/** Every definition of the name counts, and so does a tool whose key is also this name. */
function expectedDecision(tools: readonly ListedTool[], name: string, server?: string): Decision {
  return strictest(tools.filter((tool) => listable(tool.name, server) && keysOf(tool.name, server).includes(name)))
}

function keysOf(name: string, server?: string): readonly string[] {
  return server === undefined ? [name] : [name, `${server}/${name}`]
}

function strictest(tools: readonly ListedTool[]): Decision {
  return (
    strictness.findLast((decision) => tools.some((tool) => decisionByHints(tool.annotations) === decision)) ?? 'deny'
  )
}

function toolsOf(items: readonly unknown[]): readonly ListedTool[] {
  return items.filter((item): item is ListedTool => {
    const { name } = (item ?? {}) as { readonly name?: unknown }
    return typeof item === 'object' && typeof name === 'string' && Object.hasOwn(item as object, 'name')
  })
}

test('the policy of any lists is valid, and decides every tool as its hints say', () => {
  const server = fc.constantFrom(undefined, 'srv')
  fc.assert(
    fc.property(hostileScan, server, (scan, name) => {
      const { text } = startingPolicy(scan, name === undefined ? {} : { server: name })
      const policy = parsed(text)
      const tools = toolsOf(scan.tools)
      for (const tool of tools) {
        const { decision } = judge(policy, { name: tool.name, server: name ?? '' })
        assert.equal(decision, expectedDecision(tools, tool.name, name), `${JSON.stringify(tool)}\n${text}`)
      }
      for (const method of ['resources/read', 'prompts/get'] as const)
        for (const one of ['file:///a', 'a', 'greet'])
          assert.equal(judge(policy, { method, name: one }).decision, 'deny')
    }),
    { numRuns: tries(1_000) },
  )
})

test('no text of a server hides anything in the policy', () => {
  fc.assert(
    fc.property(hostileScan, (scan) => {
      const text = startingPolicy(scan).text.replace(emojiGlue, '')
      for (const line of text.split('\n')) assert.equal(hasUnseen(line), false, line)
    }),
    { numRuns: tries(300) },
  )
})

/** What may stand in an emoji and nowhere else. */
const emojiGlue = /(?<=[\p{Extended_Pictographic}\p{Emoji_Modifier}])[\ufe0f\u200d]+/gv

/** Every comment that stands for a rule or an entry becomes one. */
function optedIn(text: string): string {
  let part: 'tools' | 'every tool' | 'list' = 'tools'
  const lines = text.split('\n').map((line) => {
    if (line === '') part = 'tools'
    const before = part
    if (line === '  # A limit on all tools together:') part = 'every tool'
    if (line === '# resources:' || line === '# prompts:') part = 'list'
    if (part === 'list') return line.replace(/^# /, '')
    return before === 'every tool' ? line.replace(/^ {2}# /, '  ') : line.replace(/^( {6})# - /, '$1- ')
  })
  return lines.join('\n')
}

test('the comments that suggest rules and entries are valid when they are taken up', () => {
  fc.assert(
    fc.property(hostileScan, (scan) => {
      parsed(optedIn(startingPolicy(scan).text))
    }),
    { numRuns: tries(300) },
  )
})

test('a policy of every hostile name compiles', async () => {
  const tools = hostileNames.map((name) => ({ name, description: name, annotations: readOnly }))
  await compilePolicy(parsed(policyOf(tools)), [])
})

test('hints decide what a tool gets, and their absence is the most careful of them', () => {
  const hints: readonly (readonly [annotations: unknown, decision: Decision, risk: string])[] = [
    [{ readOnlyHint: true }, 'allow', 'low'],
    [{ readOnlyHint: true, destructiveHint: true }, 'allow', 'low'],
    [{ readOnlyHint: false, destructiveHint: false }, 'allow', 'medium'],
    [{ destructiveHint: false }, 'allow', 'medium'],
    [{ destructiveHint: true }, 'hold', 'high'],
    [{ readOnlyHint: false }, 'hold', 'high'],
    [{ idempotentHint: true }, 'hold', 'high'],
    [{ readOnlyHint: 'true' }, 'hold', 'high'],
    [{ title: 'Read-only' }, 'hold', 'high'],
    [{}, 'hold', 'high'],
    [undefined, 'hold', 'high'],
  ]
  const { text, counts } = startingPolicy(
    scanOf({ tools: hints.map(([annotations], index) => ({ name: `tool_${index}`, annotations })) }),
  )
  const policy = parsed(text)
  for (const [index, [annotations, decision, risk]] of hints.entries()) {
    const verdict = judge(policy, { name: `tool_${index}` })
    assert.deepEqual([verdict.decision, verdict.risk_level], [decision, risk], JSON.stringify(annotations))
  }
  assert.deepEqual(counts, { read: 2, write: 2, destructive: 3, unstated: 4 })
})

test('what the server does not list is denied, and so are resources and prompts until somebody takes them up', () => {
  const text = startingPolicy(
    scanOf({
      tools: [{ name: 'look', annotations: readOnly }],
      resources: [{ uri: 'bank://terms' }, { uri: 'bank://search?q=a' }, { uri: 'bank://a/../b' }, { uri: 'bank://*' }],
      resourceTemplates: [{ uriTemplate: 'bank://account/{id}' }, { uriTemplate: '{+uri}' }],
      prompts: [{ name: 'greet' }],
    }),
  ).text
  const asked = [
    { name: 'other' },
    { method: 'resources/read', name: 'bank://terms' },
    { method: 'resources/read', name: 'bank://account/7' },
    { method: 'resources/read', name: 'bank://other' },
    { method: 'prompts/get', name: 'greet' },
    { method: 'prompts/get', name: 'other' },
  ] as const
  const decided = (policy: string) => asked.map((call) => judge(parsed(policy), call).decision)
  assert.deepEqual(decided(text), ['deny', 'deny', 'deny', 'deny', 'deny', 'deny'])
  assert.deepEqual(decided(optedIn(text)), ['deny', 'allow', 'allow', 'deny', 'allow', 'deny'])
  assert.match(text, /`bank:\/\/\*` can have no entry: it has a `\*`/)
  assert.match(text, /every read of it is refused: it has a `\.` or `\.\.` segment/)
  assert.match(text, /it would list every resource there is/)
})

test('with the name of a server, its tools are listed for it alone', () => {
  const policy = parsed(policyOf([{ name: 'look', annotations: readOnly }], { server: 'my server' }))
  assert.equal(judge(policy, { name: 'look', server: 'my server' }).decision, 'allow')
  assert.equal(judge(policy, { name: 'look', server: 'other' }).decision, 'deny')
})

test('a tool with a slash in its name is listed by that name and is no tool of another name', () => {
  const policy = parsed(policyOf([{ name: 'files/read', annotations: readOnly }]))
  assert.equal(judge(policy, { name: 'files/read' }).decision, 'allow')
  assert.equal(judge(policy, { name: 'more/files/read' }).decision, 'deny')
  assert.equal(judge(policy, { name: 'read' }).decision, 'deny')
})

test('of a name that is listed twice the more careful reading counts', () => {
  const tools = [{ name: 'write' }, { name: 'write', annotations: readOnly }]
  const { text, warnings } = startingPolicy(scanOf({ tools }))
  assert.equal(judge(parsed(text), { name: 'write' }).decision, 'hold')
  assert.deepEqual(warnings, ['tool `write` is listed 2 times: the most careful reading counts'])
})

test('hidden text is made visible and warned of, wherever in a definition it stands', () => {
  const smuggled = [...'obey'].map((char) => String.fromCodePoint(0xe0000 + (char.codePointAt(0) as number))).join('')
  const properties = { path: { type: 'string', description: 'A path.\u001b[8mhidden\u001b[0m\u202e' } }
  const { text, warnings } = startingPolicy(
    scanOf({
      tools: [
        { name: 'look', description: `Looks.${smuggled}`, annotations: readOnly },
        { name: 'read', description: 'Reads. ⚠️ 👩‍💻\n\tDone.', inputSchema: { type: 'object', properties } },
        { name: 'loo\u200bk', annotations: readOnly },
        { name: 'plain', description: 'Ça va ? “Oui” – 日本 ⚠️ 👩‍💻\r\n\tend' },
      ],
    }),
  )
  assert.deepEqual(warnings, [
    'tool `look`: text that is not seen: 4 tag characters (U+E006F TAG o, U+E0062 TAG b, U+E0065 TAG e, U+E0079 TAG y) in `description`, from character 7 on: `obey`',
    'tool `read`: text that is not seen: 2 terminal escapes (U+001B ESCAPE) in `inputSchema.properties.path.description`, from character 8 on',
    'tool `read`: text that is not seen: 1 direction control (U+202E RIGHT-TO-LEFT OVERRIDE) in `inputSchema.properties.path.description`, from character 22 on',
    'tool `loo\\u{200b}k` is left out, so denied: it has characters that cannot be seen',
  ])
  assert.match(text, /look: Looks\.\\u\{e006f\}\\u\{e0062\}/)
  assert.match(text, /path: string\. A path\.\\u\{1b\}\[8mhidden/)
  assert.match(text, /# WARNING: text that is not seen stands in what the server says here: 4 tag characters/)
  assert.equal(judge(parsed(text), { name: 'loo\u200bk' }).decision, 'deny')
})

test('a tool is described with its parameters: type, need, values, and no more words than help', () => {
  const inputSchema = {
    type: 'object',
    required: ['mode', 'tags'],
    properties: {
      mode: { type: 'string', enum: ['fast', 'slow'], description: 'How.' },
      tags: { type: 'array', items: { $ref: '#/$defs/tag' } },
      when: { anyOf: [{ type: 'string' }, { type: 'null' }] },
      long: { type: 'string', description: 'w'.repeat(1_000) },
    },
    $defs: { tag: { type: 'string' } },
  }
  const tool = { name: 'act', description: `Acts. ${'More. '.repeat(500)}`, inputSchema }
  const lines = policyOf([tool]).split('\n')
  assert.ok(lines.includes('  # - mode: string, required, one of "fast" | "slow". How.'))
  assert.ok(lines.includes('  # - tags: array of string, required'))
  assert.ok(lines.includes('  # - when: string or null'))
  assert.ok(lines.some((line) => line.endsWith('(880 more characters)')))
  assert.ok(lines.some((line) => line.endsWith('(2506 more characters)')))
  assert.ok(lines.every((line) => line.length <= 120))
})

test('the rule that is suggested for a path keeps it in its folder', () => {
  const properties = { path: { type: 'string' }, others: { type: 'array', items: { type: 'string' } } }
  const inputSchema = { type: 'object', properties, required: ['path'] }
  const policy = parsed(optedIn(policyOf([{ name: 'read', annotations: readOnly, inputSchema }])))
  const decide = (args: Record<string, string>) => judge(policy, { name: 'read', args }).decision
  for (const path of ['/workspace/a.txt', '/workspace/.hidden', '/workspace/a.b.c/d.', '/workspace/a\nb'])
    assert.equal(decide({ path }), 'allow', path)
  for (const path of ['/etc/passwd', '/workspace/../etc', '/workspace/a/..', '/workspace', ''])
    assert.equal(decide({ path }), 'deny', path)
  assert.equal(decide({}), 'deny')
})

test('the rule that is suggested for a list of paths holds for each of them', () => {
  const properties = { paths: { type: 'array', items: { type: 'string' } } }
  const policy = parsed(optedIn(policyOf([{ name: 'read', annotations: readOnly, inputSchema: { properties } }])))
  const decide = (paths: readonly string[]) => judge(policy, { name: 'read', args: { paths } }).decision
  assert.equal(decide(['/workspace/a', '/workspace/b']), 'allow')
  assert.equal(decide(['/workspace/a', '/workspace/../b']), 'deny')
})

test('a folder is suggested for what is a path, and for nothing that only speaks of one', () => {
  const suggested = (properties: object) =>
    policyOf([{ name: 'act', description: 'Copies files.', inputSchema: { properties } }])
      .split('\n')
      .filter((line) => line.includes('/workspace/')).length
  const string = { type: 'string' }
  for (const name of ['path', 'filePath', 'file_name', 'source_file', 'outputDir', 'destination', 'cwd'])
    assert.equal(suggested({ [name]: string }), 1, name)
  for (const name of ['files', 'fileNames', 'folders', 'source_directories'])
    assert.equal(suggested({ [name]: { type: 'array', items: string } }), 1, name)
  for (const name of ['file_id', 'pathType', 'fileContent', 'folder_color', 'source_lang', 'name'])
    assert.equal(suggested({ [name]: string }), 0, name)
  assert.equal(suggested({ file: { enum: ['a', 'b'], type: 'string' } }), 0, 'one of a few values is no path')
  assert.equal(suggested({ path: { type: 'array', items: { type: 'object' } } }), 0)
})

test('with a name for the server it is said that resources and prompts are not bound to it', () => {
  const lists = { resources: [{ uri: 'file:///a', name: 'a' }], prompts: [{ name: 'p' }] }
  const told = /hold for every server of this policy, not for/g
  assert.equal(startingPolicy(scanOf(lists), { server: 'crm' }).text.replaceAll('\n# ', ' ').match(told)?.length, 2)
  assert.equal(startingPolicy(scanOf(lists)).text.replaceAll('\n# ', ' ').match(told), null)
})

test('the rule that is suggested for an amount is a budget', () => {
  const properties = { 'unit.Amount': { type: 'number' }, maxTotal: { type: 'number' } }
  const inputSchema = { type: 'object', properties }
  const text = policyOf([{ name: 'pay', annotations: { destructiveHint: false }, inputSchema }])
  const policy = parsed(optedIn(text))
  const decide = (micro: number) => judge(policy, { name: 'pay', amounts: { 'unit\\.Amount': micro } }).decision
  assert.equal(decide(100_000_000), 'allow')
  assert.equal(decide(100_000_001), 'deny')
  assert.equal(text.match(/spend:/g)?.length, 1)
})

test('the longest lists a server can give make a policy that can still be read', () => {
  const properties = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`p${index}`, { type: 'string' }]))
  const tools = Array.from({ length: 2_000 }, (_, index) => ({
    name: `${'é'.repeat(500)}${index}`,
    description: '語'.repeat(5_000),
    inputSchema: { properties },
  }))
  const resources = Array.from({ length: 2_000 }, (_, index) => ({ uri: `a://${'é'.repeat(5_000)}${index}` }))
  const { text, counts, warnings } = startingPolicy(scanOf({ tools, resources }))
  assert.ok(Buffer.byteLength(text) < 4 * 1024 * 1024)
  const policy = parsed(text)
  assert.equal(policy.entries.length, counts.unstated)
  assert.ok(counts.unstated > 1_000)
  assert.equal(warnings.length, 2_000 - counts.unstated)
})

test('a server without tools gets a policy that allows nothing', () => {
  const policy = parsed(policyOf([]))
  assert.deepEqual(policy.entries, [])
  assert.equal(judge(policy, { name: 'any' }).decision, 'deny')
})
