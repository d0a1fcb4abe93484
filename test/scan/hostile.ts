/** Names, words and schemas that a server may list to break a policy, its reader, or the terminal it is shown on. */
import { fc } from '../random.ts'

export const hostileNames: readonly string[] = [
  '',
  'read_file',
  'a',
  'b',
  'a/b',
  'x/a/b',
  '/a',
  'a/',
  'a//',
  '/',
  '*',
  '**',
  '*/*',
  'a*',
  'a?b',
  'srv/a',
  'srv/srv/a',
  'null',
  'true',
  'No',
  'y',
  '~',
  '5',
  '05',
  '1e3',
  '0x1F',
  '.inf',
  '2026-01-01',
  '-',
  '- a',
  '? a',
  ': b',
  'a: b',
  'a:',
  'a #b',
  '# a',
  '"quoted"',
  "it's",
  'back\\slash',
  '\\u0041',
  '&anchor',
  '!tag',
  '%dir',
  '@at',
  '`tick`',
  '{a}',
  '[a]',
  'a, b',
  '<<',
  '=',
  '---',
  '...',
  'default',
  'version',
  'x:\n  rules: []\nevil',
  'x\r\ny',
  'tab\there',
  'nul\0',
  'escape\u001b[2J',
  'next\u0085line',
  'line\u2028paragraph\u2029',
  'bom\ufeff',
  'zero\u200bwidth',
  'rtl\u202etxt',
  'tag\u{e0041}\u{e0042}',
  'filler\u3164',
  'half\ud800',
  'private\ue000',
  'noncharacter\uffff',
  ' lead',
  'trail ',
  'nbsp\u00a0inside',
  'émigré',
  'e\u0301',
  '日本',
  '😀',
  '👩‍💻',
  '⚠️',
  '__proto__',
  'constructor',
  'toString',
  'x'.repeat(512),
  'x'.repeat(513),
  '"'.repeat(512),
  '\\'.repeat(512),
  '日'.repeat(512),
  'reden_not_here',
]

const name = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...hostileNames) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 20 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 20 }) },
)

const words = fc.oneof(
  fc.constantFrom(
    ...hostileNames,
    'Reads a file.',
    'One line.\n\nAnother:\n  evil:\n    rules: []\n',
    '# not a comment\n- not a rule',
    'long '.repeat(400),
    'w'.repeat(3_000),
    '\u{e0049}'.repeat(200),
  ),
  fc.string({ unit: 'binary', maxLength: 200 }),
)

const hint = fc.oneof(fc.boolean(), fc.constantFrom(undefined, null, 'true', 1))
const annotations = fc.oneof(
  fc.record({ readOnlyHint: hint, destructiveHint: hint, openWorldHint: hint, title: words }, { requiredKeys: [] }),
  fc.constantFrom(undefined, null, 'none', [true]),
)

const parameterName = fc.oneof(
  fc.constantFrom('path', 'paths', 'amount', 'unitPrice', 'file.name', 'source', 'max_cost', 'dir\\', 'query'),
  name,
)
const parameter = fc.oneof(
  fc.record(
    {
      type: fc.constantFrom('string', 'number', 'integer', 'array', 'object', 'odd\n', ['string', 'null'], 7),
      description: words,
      enum: fc.array(fc.oneof(words, fc.integer(), fc.constant(null)), { maxLength: 20 }),
      items: fc.constantFrom({ type: 'string' }, { type: 'array', items: { $ref: '#' } }, { $ref: '#/$defs/self' }),
      $ref: fc.constantFrom('#/$defs/self', '#', '#/nowhere', 'https://example.com/schema'),
      anyOf: fc.array(fc.constantFrom({ type: 'string' }, { $ref: '#' }, null), { maxLength: 4 }),
    },
    { requiredKeys: [] },
  ),
  fc.constantFrom(null, true, 'x', []),
)
const inputSchema = fc.oneof(
  fc.record(
    {
      type: fc.constant('object'),
      properties: fc.dictionary(parameterName, parameter, { maxKeys: 5 }),
      required: fc.array(parameterName, { maxLength: 3 }),
      $defs: fc.constant({ self: { $ref: '#/$defs/self' } }),
    },
    { requiredKeys: [] },
  ),
  fc.jsonValue({ maxDepth: 3 }),
)

export const hostileTool = fc.record(
  { name, title: words, description: words, annotations, inputSchema },
  { requiredKeys: ['name'] },
)

const resource = fc.record(
  {
    uri: fc.oneof(
      name,
      name.map((path) => `file:///${path}`),
    ),
    name: words,
    description: words,
    mimeType: words,
  },
  { requiredKeys: ['uri'] },
)
const template = fc.record(
  { uriTemplate: fc.oneof(name, fc.constantFrom('{x}', 'a{b}c', 'a{?q*}', '{a}{b}', 'x{', 'a*{b}')), name: words },
  { requiredKeys: ['uriTemplate'] },
)
const prompt = fc.record(
  { name, description: words, arguments: fc.array(fc.record({ name: words, required: hint }), { maxLength: 3 }) },
  { requiredKeys: ['name'] },
)

export const hostileScan = fc.record({
  server: fc.record({ name: words, version: words, instructions: words }, { requiredKeys: [] }),
  tools: fc.array(fc.oneof({ weight: 20, arbitrary: hostileTool }, { weight: 1, arbitrary: fc.anything() }), {
    maxLength: 20,
  }),
  resources: fc.array(resource, { maxLength: 5 }),
  resourceTemplates: fc.array(template, { maxLength: 5 }),
  prompts: fc.array(prompt, { maxLength: 5 }),
  unfinished: fc.constant([]),
})
