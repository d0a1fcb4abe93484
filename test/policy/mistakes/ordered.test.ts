/** Mistakes of ordered rules. */
import { areTold, type Case, head } from './told.ts'

/** A file of ordered rules. */
const first = (...written: readonly string[]) => `${head}rules:\n${written.map((one) => `  - ${one}\n`).join('')}`

const ordered: readonly Case[] = [
  [
    'what says nothing beside ordered rules',
    `${first('{action: deny}')}tools: {}\nhidden: [a]\ncounting: last\n`,
    [
      'f.yaml:5:1: `tools` says nothing beside ordered `rules`: they decide alone',
      'f.yaml:6:1: `hidden` says nothing beside ordered `rules`: they decide alone',
      'f.yaml:7:1: `counting` says nothing beside ordered `rules`: they decide alone',
    ],
  ],
  [
    'a default that only ordered rules have',
    'version: "1"\ndefault: require_approval\ntools: {}\n',
    ['f.yaml:2:10: `default: require_approval` stands only beside ordered `rules`'],
  ],
  [
    'a rule without an action, with a key that is none, and a glob that is none',
    first(
      '{tool: a}',
      '{action: block}',
      '{tols: a, action: deny}',
      '{tool: 5, server: "", agent: "[z-a]", action: deny}',
    ),
    [
      'f.yaml:4:5: `action` is missing: say `action: allow`, `action: deny` or `action: require_approval`',
      'f.yaml:5:14: `action` must be `allow`, `deny` or `require_approval`, got "block"',
      'f.yaml:6:6: unknown key `tols`, did you mean `tool`?',
      'f.yaml:7:12: `tool` must be a glob as text, got `5`: put it in quotes',
      'f.yaml:7:23: a name must not be empty',
      'f.yaml:7:34: warning: `agent`: `[z-a]` has a set that is empty, and matches nothing',
    ],
  ],
  [
    'conditions on the time',
    first(
      '{when: {after: "24:00"}, action: deny}',
      '{when: {after: "9", before: 17:00}, action: deny}',
      '{when: {after: "18:00", before: "06:00", weekdays: [0, 8]}, action: deny}',
      '{when: {}, action: deny}',
    ),
    [
      'f.yaml:4:20: `after` must be a time of the day in UTC as text, `"HH:MM"`, got "24:00"',
      'f.yaml:5:20: `after` must be a time of the day in UTC as text, `"HH:MM"`, got "9"',
      'f.yaml:5:33: warning: `before`: a time without quotes is a number in older readers; put it in quotes',
      'f.yaml:6:13: warning: `after` and `before` must both hold, and no time is both: write a rule for the evening and one for the morning',
      'f.yaml:6:57: each of `weekdays` must be a whole number of at least 1 and at most 7, got `0`',
      'f.yaml:6:60: each of `weekdays` must be a whole number of at least 1 and at most 7, got `8`',
      'f.yaml:7:12: `when` needs a condition',
    ],
  ],
  [
    'comparisons that are none',
    first(
      '{when: {arguments: {a: {eq: null}, b: {gt: {c: 1}}, c: {}, d: {above: 1}, e: {matches: "("}}}, action: deny}',
      '{when: {words: [Delete, "a b"], arguments: {}}, action: deny}',
    ),
    [
      'f.yaml:4:33: `eq` must be text, a number, `true`, `false`, a list or a map, got `null`: an argument that is missing or null meets no condition',
      'f.yaml:4:48: `gt` must be a number, text, `true`, `false` or a list, got a map',
      'f.yaml:4:57: `c` must be compared with something',
      'f.yaml:4:68: unknown key `above`, `d` has `eq`, `gt`, `gte`, `lt`, `lte`, `contains` or `matches`',
      'f.yaml:4:92: `matches` is no regular expression of Python: a `(` is not closed',
      'f.yaml:5:21: each of `words` must be a word of small letters, digits and `_`, got "Delete"',
      'f.yaml:5:29: each of `words` must be a word of small letters, digits and `_`, got "a b"',
      'f.yaml:5:48: `arguments` must be a map from arguments to comparisons, got an empty map',
    ],
  ],
  [
    'rules that nothing comes to, or that have one name',
    first('{name: a, tool: x, action: deny}', '{name: b, tool: x, action: allow}', '{name: b, tool: y, action: allow}'),
    [
      'f.yaml:5:5: warning: `b` is never asked: `a` on line 4 matches all its calls',
      'f.yaml:6:5: warning: two rules are called `b`, the first on line 5: records cannot tell them apart',
    ],
  ],
  [
    'no rules at all',
    `${head}rules: []\n`,
    ['f.yaml:3:8: warning: there are no rules: every call gets what `default` says'],
  ],
]

areTold('ordered', ordered)
