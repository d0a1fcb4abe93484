/** What is legal and surely not meant: each warning where it fires, and the nearest policy in which it does not. */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { parse, stringify } from 'yaml'
import { globMatches } from '../../src/model/match.ts'
import type { Pattern } from '../../src/model/policy.ts'
import type { DiagnosticCode } from '../../src/policy/diagnostics.ts'
import { formatDiagnostic, parsePolicy } from '../../src/policy/parse.ts'
import { covers } from '../../src/policy/warnings/unreachable.ts'
import { examplesOf } from './pages.ts'

const head = 'version: "1"\ndefault: deny\n'

/** A tool whose rules these are, one a line, from line 6 on. */
const rules = (...lines: readonly string[]) => tools('pay:', '  rules:', ...lines.map((line) => `  - ${line}`))
/** These lines under `tools`, from line 4 on. */
const tools = (...lines: readonly string[]) => `${head}tools:\n${lines.map((line) => `  ${line}\n`).join('')}`

interface Case {
  readonly fires: string
  readonly says: string | readonly string[]
  /** By why they are fine. */
  readonly silent: Readonly<Record<string, string>>
}

const cases: Readonly<Partial<Record<DiagnosticCode, Readonly<Record<string, Case>>>>> = {
  unreachable: {
    'rules beside one that refuses every call': {
      fires: rules('{ action: deny }', 'rate_limit: 5/day', '{ action: require_approval }'),
      says: [
        '7:7: this rule decides nothing: the one on line 6 refuses every call of `pay`',
        '8:7: this rule decides nothing: the one on line 6 refuses every call of `pay`',
      ],
      silent: {
        'the denial is about some calls': rules(
          '{ action: deny, arguments: { a: { enum: [b] } } }',
          'rate_limit: 5/day',
        ),
        'the rule names a risk': rules('{ action: deny }', '{ risk_level: high }'),
      },
    },
    'an entry that a wider one refuses': {
      fires: tools('"delete_*": { rules: [{ action: deny }] }', 'delete_draft: { rules: [{ rate_limit: 5/day }] }'),
      says: '5:3: nothing here allows a call: `delete_*` on line 4 refuses all that `delete_draft` matches, and no entry overrides another',
      silent: {
        'it matches more': tools(
          '"delete_*": { rules: [{ action: deny }] }',
          '"*_draft": { rules: [{ rate_limit: 5/day }] }',
        ),
        'it refuses as well': tools(
          '"delete_*": { rules: [{ action: deny }] }',
          'delete_all: { rules: [{ action: deny, on_deny: "no" }] }',
        ),
        'the wider one is of another server': tools(
          '"crm/delete_*": { rules: [{ action: deny }] }',
          'delete_draft: {}',
        ),
        'the wider one is about prompts': `${tools('delete_draft: {}')}prompts:\n  "delete_*": { rules: [{ action: deny }] }\n`,
      },
    },
    'an entry of one server that is refused on all': {
      fires: tools('"*": { rules: [{ action: deny }] }', 'crm/delete: {}'),
      says: '5:3: nothing here allows a call: `*` on line 4 refuses all that `crm/delete` matches, and no entry overrides another',
      silent: { 'nothing is refused': tools('"*": { rules: [{ rate_limit: 1/day }] }', 'crm/delete: {}') },
    },
    'rules for everything where nothing is listed': {
      fires: tools('"*":', '  rules:', '    - rate_limit: 5/day'),
      says: '4:3: `"*"` lists nothing, so `default: deny` refuses every call before these rules: list what may be used beside it',
      silent: {
        'something is listed': tools('"*":', '  rules:', '    - rate_limit: 5/day', 'pay: {}'),
        'the default is to allow': tools('"*": { rules: [{ rate_limit: 5/day }] }').replace('deny', 'allow'),
      },
    },
  },
  shadowed: {
    'a denial that is written twice': {
      fires: rules(
        '{ action: deny, arguments: { env: { enum: [prod] } } }',
        '{ name: again, action: deny, arguments: { env: { enum: [prod] } } }',
      ),
      says: '7:7: this rule decides nothing: what it refuses is refused by the one on line 6',
      silent: {
        'of another value': rules(
          '{ action: deny, arguments: { env: { enum: [prod] } } }',
          '{ action: deny, arguments: { env: { enum: [test] } } }',
        ),
        'it names a risk': rules(
          '{ action: deny, arguments: { env: { enum: [prod] } } }',
          '{ action: deny, risk_level: high, arguments: { env: { enum: [prod] } } }',
        ),
      },
    },
    'a denial of less than an earlier one': {
      fires: rules(
        '{ action: deny, arguments: { amount: { min: 100 } } }',
        '{ action: deny, arguments: { amount: { min: 1000 }, to: { enum: [x] } } }',
      ),
      says: '7:7: this rule decides nothing: what it refuses is refused by the one on line 6',
      silent: {
        'the narrower one comes first, with its own words': rules(
          '{ action: deny, arguments: { amount: { min: 1000 } }, on_deny: far too much }',
          '{ action: deny, arguments: { amount: { min: 100 } } }',
        ),
        'the earlier one needs more': rules(
          '{ action: deny, arguments: { amount: { min: 100 }, to: { enum: [x] } } }',
          '{ action: deny, arguments: { amount: { min: 1000 } } }',
        ),
        'the earlier one lets a missing argument pass': rules(
          '{ action: deny, arguments: { amount: { min: 100, required: false } } }',
          '{ action: deny, arguments: { amount: { min: 1000 } } }',
        ),
        'text proves nothing against a number': rules(
          '{ action: deny, arguments: { a: { enum: [x, 1] } } }',
          '{ action: deny, arguments: { a: { enum: [x] } } }',
        ),
      },
    },
    'an approval of what is refused': {
      fires: rules(
        '{ action: require_approval, arguments: { path: { prefix: /etc/ssl } } }',
        '{ action: deny, arguments: { path: { prefix: /etc } } }',
      ),
      says: '6:7: this rule decides nothing: what it holds is refused by the one on line 7',
      silent: {
        'more is held than refused': rules(
          '{ action: require_approval, arguments: { path: { prefix: /etc } } }',
          '{ action: deny, arguments: { path: { prefix: /etc/ssl } } }',
        ),
      },
    },
    'an approval behind one of every call': {
      fires: rules('{ action: require_approval }', '{ action: require_approval, arguments: { amount: { min: 5 } } }'),
      says: '7:7: this rule decides nothing: what it holds is held by the one on line 6',
      silent: {
        'it asks for two persons': rules(
          '{ action: require_approval }',
          '{ action: require_approval, approval_quorum: 2, arguments: { amount: { min: 5 } } }',
        ),
        'the narrower one is asked first': rules(
          '{ action: require_approval, arguments: { amount: { min: 5 } } }',
          '{ action: require_approval }',
        ),
      },
    },
    'a demand that is met by an earlier one': {
      fires: rules('arguments: { amount: { max: 100 }, to: { enum: [a] } }', 'arguments: { amount: { max: 1000 } }'),
      says: '7:7: this rule refuses nothing: the one on line 6 asks for as much before',
      silent: {
        'it asks for more': rules('arguments: { amount: { max: 1000 } }', 'arguments: { amount: { max: 100 } }'),
        'it counts': rules(
          'arguments: { amount: { max: 100 } }',
          '{ arguments: { amount: { max: 1000 } }, rate_limit: 1/day }',
        ),
        'the earlier one takes a missing argument': rules(
          'arguments: { amount: { max: 100, required: false } }',
          'arguments: { amount: { max: 1000 } }',
        ),
        'of another argument': rules('arguments: { amount: { max: 100 } }', 'arguments: { fee: { max: 1000 } }'),
      },
    },
  },
  never_binds: {
    'a limit by user under a tighter one for all': {
      fires: rules('rate_limit: [{ limit: 10, window: minute, per: user }, 5/day]'),
      says: '6:20: the limit of 10 calls per minute never binds: the limit of 5 calls per day on line 6 is reached before',
      silent: {
        'the tighter one is kept by something else': rules(
          'rate_limit: [{ limit: 10, window: minute, per: user }, { limit: 5, window: day, per: session }]',
        ),
        'the one for all is wider': rules('rate_limit: [{ limit: 10, window: minute, per: user }, 50/day]'),
      },
    },
    'a cap for one call over that of a day': {
      fires: rules('spend: { per_call: 50, daily: 10 }'),
      says: '6:26: `per_call` never binds: a call of more than 10 is refused by the cap on line 6',
      silent: { 'as much as in a day': rules('spend: { per_call: 10, daily: 10 }') },
    },
  },
  each_in_deny: {
    'a denial of each element': {
      fires: rules('{ action: deny, arguments: { to: { each: { pattern: ".*@evil.example" } } } }'),
      says: '6:36: `each` with `action: deny` is about calls whose elements are all so, and one other clears them: write `any` to catch one',
      silent: {
        'of any': rules('{ action: deny, arguments: { to: { any: { pattern: ".*@evil.example" } } } }'),
        'a demand': rules('arguments: { to: { each: { pattern: ".*@good.example" } } }'),
      },
    },
    'an approval of each element': {
      fires: rules('{ action: require_approval, arguments: { to: { each: { enum: [a] } } } }'),
      says: '6:48: `each` with `action: require_approval` is about calls whose elements are all so, and one other clears them: write `any` to catch one',
      silent: {},
    },
  },
  escapable_prefix: {
    'a folder by its prefix alone': {
      fires: rules('arguments: { path: { prefix: /work/ } }'),
      says: '6:20: `path` may leave the folder: "/work/../x" has the prefix "/work/" too, so refuse `..` with `pattern: \'(\\.?[^.])*\\.?\'`',
      silent: {
        'with the pattern of the reference': rules(
          "arguments: { path: { prefix: /work/, pattern: '(\\.?[^.])*\\.?' } }",
        ),
        'with a denial of dots': rules(
          'arguments: { path: { prefix: /work/ } }',
          '{ action: deny, arguments: { path: { pattern: ".*\\\\.\\\\..*" } } }'.replaceAll('\\\\', '\\\\'),
        ),
        'an address': rules('arguments: { url: { prefix: https://api.example/ } }'),
        'a branch': rules('arguments: { branch: { prefix: feature/ } }'),
        'the root': rules('arguments: { path: { prefix: / } }'),
        'no folder': rules('arguments: { command: { prefix: /deploy } }'),
        'a denial': rules('{ action: deny, arguments: { path: { prefix: /etc/ } } }'),
      },
    },
    'folders in a list': {
      fires: rules('arguments: { filePaths: { each: { prefix: src/ } } }'),
      says: '6:39: `filePaths` may leave the folder: "src/../x" has the prefix "src/" too, so refuse `..` with `pattern: \'(\\.?[^.])*\\.?\'`',
      silent: { 'with a pattern': rules("arguments: { filePaths: { each: { prefix: src/, pattern: '[a-z/]*' } } }") },
    },
  },
  escapable_budget: {
    'a budget for each account that the agent names': {
      fires: rules('{ per: arguments.account, spend: { daily: 100 } }'),
      says: '6:49: the agent chooses `account`, and each value has a budget of its own: bind it with an `enum` or a `pattern`, or add a cap that is not kept by it',
      silent: {
        'which must be one of some': rules(
          '{ per: arguments.account, spend: { daily: 100 }, arguments: { account: { enum: [a, b] } } }',
        ),
        'bound by another rule': rules(
          '{ per: arguments.account, spend: { daily: 100 } }',
          'arguments: { account: { pattern: "[0-9]{4}" } }',
        ),
        'with a cap for all of them': rules(
          '{ per: arguments.account, spend: { daily: 100 } }',
          'spend: { monthly: 1000 }',
        ),
        'with so many calls of so much': rules(
          '{ per: arguments.account, spend: { per_call: 10, daily: 100 } }',
          'rate_limit: 20/day',
        ),
        'a person sees each call': rules(
          '{ per: arguments.account, spend: { daily: 100 } }',
          '{ action: require_approval }',
        ),
        'by user': rules('{ per: user, spend: { daily: 100 } }'),
        'a rate': rules('{ per: arguments.account, rate_limit: 1/hour }'),
      },
    },
  },
  foreign_path: {
    'a path of JSONPath': {
      fires: rules('arguments: { $.amount: { max: 5 } }'),
      says: '6:20: `$.amount` looks for an argument called `$`: paths begin at the arguments, did you mean `amount`?',
      silent: {
        'a name with a sign in it': rules('arguments: { $filter: { enum: [a] }, price_$: { max: 5 } }'),
        'a parameter in brackets': rules('arguments: { "page[size]": { max: 5 } }'),
      },
    },
    'an element by its number': {
      fires: rules(
        '{ spend: { amount: "items[0].price", daily: 5 } }',
        'arguments: { "items[*].name": { enum: [a] } }',
      ),
      says: [
        '6:26: `items[0].price` names an argument with `[0]` in its name: for elements of an array write `each` or `any`',
        '7:20: `items[*].name` names an argument with `[*]` in its name: for elements of an array write `each` or `any`',
      ],
      silent: { 'what was meant': rules('arguments: { items: { each: { fields: { name: { enum: [a] } } } } }') },
    },
  },
}

const warningsOf = (text: string) => parsePolicy({ file: 'f.yaml', text }).diagnostics

for (const [code, named] of Object.entries(cases))
  describe(`\`${code}\` fires on`, () => {
    for (const [name, { fires, says, silent }] of Object.entries(named))
      test(name, () => {
        const { policy, diagnostics } = parsePolicy({ file: 'f.yaml', text: fires })
        assert.ok(policy, 'a warning leaves the policy')
        assert.deepEqual(
          diagnostics.map(({ line, col, message }) => `${line}:${col}: ${message}`),
          [says].flat(),
        )
        for (const one of diagnostics) assert.deepEqual([one.code, one.severity], [code, 'warning'])
        for (const [why, text] of Object.entries(silent))
          assert.deepEqual(warningsOf(text).map(formatDiagnostic), [], `${name}, but ${why}`)
      })
  })

test('the policies of the cases, the reference and the fixtures have no warning, but for what a case is about', () => {
  const caseFiles = globSync(new URL('../cases/*.yaml', import.meta.url).pathname)
  assert.ok(caseFiles.length > 5)
  const policies = [
    ...caseFiles.flatMap((file) => policiesOf(parse(readFileSync(file, 'utf8')))),
    ...['native.md', 'guard.md', 'intercept.md'].flatMap(examplesOf),
    ...globSync(new URL('fixtures/*.{yaml,json}', import.meta.url).pathname).map((file) => readFileSync(file, 'utf8')),
  ]
  const found = policies.flatMap((text) => warningsOf(text).map(({ code, message }) => `${code} ${message}`))
  // The cases are about the prefix alone, and about what Intercept does with such counters and names.
  const uncounted = (name: string) =>
    `never_counts nothing is counted in \`${name}\`, here as in Intercept: no \`lt\` or \`lte\` of this rule bounds it, and conditions that read it see 0`
  assert.deepEqual(found.sort(), [
    'bad_name `read_*` is the name of one tool: Intercept has no wildcard but `"*"`',
    `escapable_prefix ${tmpSentence}`,
    `escapable_prefix ${tmpSentence}`,
    uncounted('counts-amount.n'),
    uncounted('never-counts.n'),
    'never_counts there is room for 0 here: no call passes',
  ])
})

const tmpSentence =
  '`path` may leave the folder: "/tmp/../x" has the prefix "/tmp/" too, so refuse `..` with `pattern: \'(\\.?[^.])*\\.?\'`'

/** Whatever in a case file is a policy. */
function policiesOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return /^version:/m.test(value) ? [value] : []
  if (typeof value !== 'object' || value === null) return []
  if ('version' in value && 'default' in value)
    return [stringify(value, { defaultStringType: 'QUOTE_DOUBLE', defaultKeyType: 'PLAIN' })]
  return Object.values(value).flatMap(policiesOf)
}

test('a glob covers another only when it matches whatever that one does', () => {
  const pattern = (text: string): Pattern => ({ kind: /[*?]/.test(text) ? 'glob' : 'literal', text })
  const parts = ['a', 'b', '*', '?']
  const globs = parts.flatMap((a) => ['', ...parts].flatMap((b) => ['', ...parts].map((c) => `${a}${b}${c}`)))
  const letters = ['a', 'b', 'c']
  const words = [
    '',
    ...letters,
    ...letters.flatMap((a) => letters.flatMap((b) => [`${a}${b}`, ...letters.map((c) => `${a}${b}${c}`)])),
  ]
  let covered = 0
  for (const wide of globs)
    for (const narrow of globs) {
      if (!covers(pattern(wide), pattern(narrow))) continue
      covered++
      for (const word of words)
        if (globMatches(narrow, word)) assert.ok(globMatches(wide, word), `${wide} does not cover ${narrow}: ${word}`)
    }
  assert.ok(covered > 500, String(covered))
})

test('warnings take no longer than the policy deserves', () => {
  const many = Array.from({ length: 4_900 }, (_, index) => `  "a${index}*": { rules: [{ action: deny }] }\n`)
  const conditions = Array.from(
    { length: 4_000 },
    (_, index) => `{ action: deny, arguments: { a: { min: ${index} } } }`,
  )
  const folders = Array.from({ length: 2_000 }, (_, index) => `arguments: { path: { prefix: /a${index}/ } }`)
  const patterns = Array.from({ length: 2_000 }, (_, index) => `arguments: { path: { pattern: "a${index}.*" } }`)
  for (const text of [`${head}tools:\n${many.join('')}`, rules(...conditions), rules(...folders, ...patterns)]) {
    const started = performance.now()
    warningsOf(text)
    assert.ok(performance.now() - started < 5_000, `${performance.now() - started} ms`)
  }
})
