/** Mistakes of the tests of arguments. */
import { areTold, args, type Case, rule } from './told.ts'

const constraints: readonly Case[] = [
  [
    'bounds that leave no number',
    args('a: {above: 5, below: 5}', 'b: {min: 5, below: 5}', 'c: {above: 6, max: 5}', 'd: {min: 5, max: 5}'),
    [
      'f.yaml:7:32: no number is between the `above` and the `below` of 5',
      'f.yaml:8:30: no number is between the `min` and the `below` of 5',
      'f.yaml:9:30: `max` of 5 is below the `above` of 6',
    ],
  ],
  [
    'a value that the bounds refuse, and types that no value has',
    args('a: {enum: [5, 6], above: 5}', 'b: {search: a, min: 1}', 'c: {contains: a, type: number}'),
    [
      'f.yaml:7:22: `5` can never pass: `above` refuses it',
      'f.yaml:8:15: `search` is about text, `min` about numbers: no value is both',
      'f.yaml:9:15: `contains` is about text and arrays, `type` about numbers: no value is both',
    ],
  ],
  [
    'what is not there, and must be something',
    args('a: {exists: false, min: 1}', 'b: {exists: false, required: false}', 'c: {one_of: []}'),
    [
      'f.yaml:7:15: `exists: false` stands alone: the argument is not there',
      'f.yaml:8:15: `exists: false` stands alone: the argument is not there',
      'f.yaml:9:23: warning: `one_of` lists nothing: no value is in it',
    ],
  ],
  [
    'what is looked for, and is nothing',
    args('a: {contains: {}}', 'b: {contains: [x]}', 'c: {contains: {element: 1}}'),
    [
      'f.yaml:7:25: `contains` needs a `text` or `elements`',
      'f.yaml:8:25: `contains` must be a value, or a map with `text` and `elements`, got a list',
      'f.yaml:9:26: unknown key `element`, did you mean `elements`?',
    ],
  ],
  [
    'a list of arguments without a map',
    args('- a'),
    ['f.yaml:7:13: each of `arguments` must be a map from arguments to what they must be, got "a"'],
  ],
  [
    'arguments without a word',
    rule('arguments: {}'),
    ['f.yaml:6:20: `arguments` must be a map from arguments to what they must be, got an empty map'],
  ],
  [
    'constraints without a word',
    args('a: {}', 'b: {required: false}', 'c:'),
    [
      'f.yaml:7:14: `a` must be something: say what, or `required: true`',
      'f.yaml:8:14: `b` must be something: say what, or `required: true`',
      'f.yaml:9:11: `c` must be a map of what the argument must be, for example `enum: [GBP, USD]`, got nothing (is what belongs to it indented further?)',
    ],
  ],
  [
    'a misspelt constraint',
    args('a: {enmu: [x], minimum: 5}'),
    [
      'f.yaml:7:15: unknown key `enmu`, did you mean `enum`?',
      'f.yaml:7:26: unknown key `minimum`, `a` has `type`, `enum`, `min`, `max`, `above`, `below`, `length`, `pattern`, `search`, `prefix`, `one_of`, `none_of`, `contains`, `exists`, `required`, `forbidden`, `each`, `any` or `fields`',
    ],
  ],
  [
    'a forbidden argument that must also be something',
    args('a: {forbidden: true, type: string}', 'b: {forbidden: false}'),
    [
      'f.yaml:7:15: `forbidden` stands alone: the argument is not there',
      'f.yaml:8:26: `forbidden` must be `true`, or left out, got `false`',
    ],
  ],
  [
    'booleans in the words of YAML 1.1',
    args('a: {required: yes}', 'b: {required: off}', 'c: {forbidden: on}'),
    [
      'f.yaml:7:25: `required` must be `true` or `false`, got "yes" (YAML 1.2 reads `yes` as text)',
      'f.yaml:8:25: `required` must be `true` or `false`, got "off" (YAML 1.2 reads `off` as text)',
      'f.yaml:9:26: `forbidden` must be `true`, or left out, got "on" (YAML 1.2 reads `on` as text)',
    ],
  ],
  [
    'paths that are none',
    args(
      'a..b: {type: string}',
      '.a: {type: string}',
      'a.: {type: string}',
      "'a\\b': {type: string}",
      "'a\\': {type: string}",
    ),
    [
      'f.yaml:7:11: a dot in a path stands between two names (a dot in a name is `\\.`), got `a..b`',
      'f.yaml:8:11: a dot in a path stands between two names (a dot in a name is `\\.`), got `.a`',
      'f.yaml:9:11: a dot in a path stands between two names (a dot in a name is `\\.`), got `a.`',
      'f.yaml:10:11: a backslash in a path stands before a dot or a backslash, got `a\\b`',
      'f.yaml:11:11: a backslash in a path stands before a dot or a backslash, got `a\\`',
    ],
  ],
  [
    'a path with a control character',
    args('"a\\tb": {type: string}'),
    ['f.yaml:7:11: a path must not have control characters, got `a\\u0009b`'],
  ],
  [
    'types that are none',
    args('a: {type: text}', 'b: {type: []}', 'c: {type: [string, intger]}', 'd: {type: ~}'),
    [
      'f.yaml:7:21: `type` must be `string`, `number`, `integer`, `boolean`, `array`, `object` or `null`, got "text"',
      'f.yaml:8:21: `type` must be `string`, `number`, `integer`, `boolean`, `array`, `object` or `null`, or a list of these, got an empty list',
      'f.yaml:9:30: each of `type` must be `string`, `number`, `integer`, `boolean`, `array`, `object` or `null`, got "intger", did you mean `integer`?',
      'f.yaml:10:21: `type` must be `string`, `number`, `integer`, `boolean`, `array`, `object` or `null`, got `~`',
    ],
  ],
  [
    'an empty enum',
    args('a: {enum: []}', 'b: {enum: GBP}', 'c: {enum: [[a]]}'),
    [
      'f.yaml:7:21: `enum` must be a list of values, got an empty list',
      'f.yaml:8:21: `enum` must be a list of values, got "GBP"',
      'f.yaml:9:22: each of `enum` must be text, a number, `true`, `false` or `null`, got a list',
    ],
  ],
  [
    'an enum with words that YAML 1.1 reads otherwise',
    args('country: {enum: [NO, SE, "no"]}'),
    ['f.yaml:7:28: warning: each of `enum`: `NO` is text in YAML 1.2; put it in quotes, or write `true` or `false`'],
  ],
  [
    'an enum with numbers that may be meant as text',
    args('sku: {enum: [007, 1e3, 0x1F, 1.50]}'),
    [
      'f.yaml:7:24: each of `enum` must be written as a plain number or as text in quotes, got `007`, which YAML 1.2 reads as 7',
      'f.yaml:7:29: each of `enum` must be written as a plain number or as text in quotes, got `1e3`, which YAML 1.2 reads as 1000',
      'f.yaml:7:34: each of `enum` must be written as a plain number or as text in quotes, got `0x1F`, which YAML 1.2 reads as 31',
    ],
  ],
  [
    'an enum with an item that is not written',
    args('a:', '  enum:', '    -', '    - b'),
    [
      'f.yaml:9:15: each of `enum` must be text, a number, `true`, `false` or `null`, got nothing: write `null` or `""`',
    ],
  ],
  [
    'an enum with a number that no double holds',
    args('a: {enum: [12345678901234567890]}'),
    ['f.yaml:7:22: each of `enum` must be a number that JSON carries exactly, got `12345678901234567890`'],
  ],
  [
    'an enum with a value twice',
    args('a: {enum: [1, 1.0, a, a]}'),
    ['f.yaml:7:25: warning: `enum` lists `1` twice', 'f.yaml:7:33: warning: `enum` lists "a" twice'],
  ],
  [
    'bounds that are no plain numbers',
    args('a: {min: "5", max: 0777}', 'b: {min: .inf, max: 1e3}', 'c: {min: 0.1000000000000000000001}'),
    [
      'f.yaml:7:20: `min` must be a number, got "5": take the quotes off',
      'f.yaml:7:30: `max` must be a number, got `0777`: write it without the leading zero (YAML 1.1 reads it as octal)',
      'f.yaml:8:20: `min` must be a number, got `.inf`: write it as a plain decimal',
      'f.yaml:8:31: `max` must be a number, got `1e3`: write it as `1000`',
      'f.yaml:9:20: `min` must be a number that JSON carries exactly, got `0.1000000000000000000001`',
    ],
  ],
  ['bounds that leave no number', args('a: {min: 5, max: 3}'), ['f.yaml:7:28: `max` of 3 is below the `min` of 5']],
  [
    'lengths that are none',
    args(
      'a: {length: -1}',
      'b: {length: 1.5}',
      'c: {length: {}}',
      'd: {length: {min: 5, max: 2}}',
      'e: {length: {mni: 1}}',
    ),
    [
      'f.yaml:7:23: `length` must be a whole number of at least 0, got `-1`',
      'f.yaml:8:23: `length` must be a whole number of at least 0, got `1.5`',
      'f.yaml:9:23: `length` needs a `min` or a `max`',
      'f.yaml:10:23: `length` has a `min` of 5 above its `max` of 2',
      'f.yaml:11:24: unknown key `mni`, did you mean `min`?',
    ],
  ],
  [
    'lookaround',
    args('a: {pattern: "(?=x)"}', 'b: {pattern: "(?<!x)y"}'),
    [
      'f.yaml:7:24: `pattern` must be a regular expression (RE2), which has no lookaround, got `(?=`',
      'f.yaml:8:24: `pattern` must be a regular expression (RE2), which has no lookaround, got `(?<!`',
    ],
  ],
  [
    'a backreference',
    args("a: {pattern: '(a)\\1'}", "b: {pattern: '(?<x>a)\\k<x>'}"),
    [
      'f.yaml:7:24: `pattern` must be a regular expression (RE2), which has no backreferences, got `\\1`',
      'f.yaml:8:24: `pattern` must be a regular expression (RE2), which has no backreferences, got `\\k<`',
    ],
  ],
  [
    'atomic groups and possessive quantifiers',
    args('a: {pattern: "(?>a)"}', 'b: {pattern: a++}'),
    [
      'f.yaml:7:24: `pattern` must be a regular expression (RE2), which has no atomic groups, got `(?>`',
      'f.yaml:8:24: `pattern` must be a regular expression (RE2), which has no possessive quantifiers, got `++`',
    ],
  ],
  [
    'patterns that are none',
    args('a: {pattern: "["}', 'b: {pattern: a)|(b}', 'c: {pattern: ""}', 'd: {pattern: 5}', "e: {pattern: '\\Qa'}"),
    [
      'f.yaml:7:24: `pattern` must be a regular expression (RE2): missing closing ] `[`',
      'f.yaml:8:24: `pattern` must be a regular expression (RE2): unexpected ) `a)|(b`',
      'f.yaml:9:24: `pattern` must not be empty',
      'f.yaml:10:24: `pattern` must be a regular expression (RE2), got `5`',
      'f.yaml:11:24: `pattern` must close its `\\Q` with `\\E`',
    ],
  ],
  [
    'a pattern that is too long',
    args(`a: {pattern: ${'x'.repeat(1001)}}`),
    ['f.yaml:7:24: `pattern` must have at most 1000 characters'],
  ],
  [
    'what the runtime has not',
    args(
      'a: {pattern: "(?<n>a)"}',
      "b: {pattern: '\\p{Lowercase}'}",
      "c: {pattern: '\\p{Greeek}'}",
      "d: {pattern: '\\P{^Kawi}'}",
    ),
    [
      'f.yaml:7:24: `pattern` names a group as `(?<n>`: write `(?P<n>`, or a group without a name',
      'f.yaml:8:24: `pattern` names the Unicode class `Lowercase`, which the policy engine does not know',
      'f.yaml:9:24: `pattern` must be a regular expression (RE2): invalid character class range `\\p{Greeek}`',
      'f.yaml:10:24: `pattern` names the Unicode class `Kawi`, which the policy engine does not know',
    ],
  ],
  [
    'patterns that are too large, or nearly',
    args("a: {pattern: '\\p{L}{1000}'}", "b: {pattern: '\\p{L}{1,30}'}", "c: {pattern: '\\p{L}+'}"),
    [
      'f.yaml:7:24: `pattern` is too large once its repetitions are written out: repeat with `*` or `+` and bound the text with `length`',
      'f.yaml:8:24: warning: `pattern` takes milliseconds to compile, on every call: repeat with `*` or `+` and bound the text with `length`',
    ],
  ],
  [
    'constraints about values of two types',
    args(
      'a: {type: string, min: 3}',
      'b: {min: 1, pattern: x}',
      'c: {enum: [a], max: 5}',
      'd: {type: array, fields: {x: {type: string}}}',
    ),
    [
      'f.yaml:7:29: `min` is about numbers, `type` about text: no value is both',
      'f.yaml:8:23: `pattern` is about text, `min` about numbers: no value is both',
      'f.yaml:9:26: `max` is about numbers, `enum` about text: no value is both',
      'f.yaml:10:28: `fields` is about objects, `type` about arrays: no value is both',
    ],
  ],
  [
    'an enum value that another constraint refuses',
    args(
      'a: {type: string, enum: [x, 5]}',
      'b: {enum: [1, 9], max: 5}',
      'c: {prefix: ab, enum: [abc, b]}',
      'd: {pattern: "a+", enum: [aa, ab]}',
      'e: {length: 2, enum: [ab, abc]}',
      'f: {type: integer, enum: [1.5]}',
    ),
    [
      'f.yaml:7:39: `5` can never pass: `type` refuses it',
      'f.yaml:8:25: `9` can never pass: `max` refuses it',
      'f.yaml:9:39: "b" can never pass: `prefix` refuses it',
      'f.yaml:10:41: "ab" can never pass: `pattern` refuses it',
      'f.yaml:11:37: "abc" can never pass: `length` refuses it',
      'f.yaml:12:37: `1.5` can never pass: `type` refuses it',
    ],
  ],
  [
    'presence of an element',
    args('a: {each: {required: true, type: string}}', 'b: {any: {forbidden: true}}'),
    [
      'f.yaml:7:22: `required` says nothing of an element: it is always there',
      'f.yaml:8:21: `forbidden` says nothing of an element: it is always there',
    ],
  ],
  [
    'a needed member of an argument that may be missing',
    args('a: {required: false, fields: {b: {type: string}, c: {type: string, required: false}}}'),
    ['f.yaml:7:41: `b` needs `required: false`: it is missing whenever `a` is'],
  ],
  [
    'mistakes deep inside',
    args('a: {each: {fields: {b: {any: {typ: string}}}}}'),
    ['f.yaml:7:41: unknown key `typ`, did you mean `type`?'],
  ],
  ['an empty prefix', args('a: {prefix: ""}'), ['f.yaml:7:23: `prefix` must not be empty, got ""']],
]

areTold('constraints', constraints)
