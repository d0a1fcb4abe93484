/** What each code of a mistake means, and what to do about it: the words of `docs/errors.md`. */
import type { DiagnosticCode } from './diagnostics.ts'

export interface CodeWords {
  readonly meaning: string
  readonly advice: string
}

export const diagnosticCodes: Readonly<Record<DiagnosticCode, CodeWords>> = {
  ascii_only: {
    meaning: 'a pattern that the policy engine can judge in ASCII alone: a call with another text is refused',
    advice: 'put `(?a)` before it, if its `\\b` and `\\w` need no other letters',
  },
  bad_name: {
    meaning:
      'a key or a name is empty, too long, has control characters, or would match everything; a warning when it has a space at its end or something that cannot be seen',
    advice: 'write the name as the server spells it',
  },
  bundle_refused: {
    meaning: 'the file is a bundle, and is not believed or does not hold together; the sentence has the error code',
    advice: 'see the error code, and [bundles.md](bundles.md)',
  },
  contradiction: {
    meaning: 'two things that cannot both hold: no value could ever pass',
    advice: 'take one of them away',
  },
  duplicate_key: {
    meaning: 'a key stands twice in one map, or an id in one list; which one counts would depend on the reader',
    advice: 'keep one',
  },
  duplicate_name: {
    meaning: 'two rules of one entry have one name, or a list has a value twice',
    advice: 'give each rule its own name: records tell them apart by it',
  },
  each_in_deny: {
    meaning: '`each` in a rule that denies or holds: one element that is not so clears the call',
    advice: 'write `any`, which catches one bad element',
  },
  escapable_budget: {
    meaning: 'a cap is kept apart by an argument that the agent chooses freely, and nothing caps all of it',
    advice: 'bind the argument with an `enum` or a `pattern`, or add a cap that is not kept by it',
  },
  escapable_prefix: {
    meaning: 'a prefix that is a folder, and nothing refuses `..`, which leads out of it',
    advice: 'add the `pattern` that the sentence has; `docs/policies/native.md` says why',
  },
  expensive: {
    meaning: 'a pattern takes milliseconds of every call',
    advice: 'repeat with `*` or `+` in the place of a count, and bound the text with `length`',
  },
  foreign_yaml: {
    meaning: 'a bare value is one thing in YAML 1.1, which Aegis reads, and another in YAML 1.2',
    advice: 'put it in quotes',
  },
  foreign_path: {
    meaning: 'a path is written as JSONPath writes it, and here it is the name of an argument',
    advice: 'write `a.b` for a member; `each` or `any` for the elements of an array',
  },
  misplaced_key: {
    meaning: 'the key is known, and stands where it has no meaning',
    advice: 'move it to where the sentence says',
  },
  missing_key: {
    meaning: 'something required is not there',
    advice: 'add it',
  },
  never_matches: {
    meaning: 'a condition or a glob that no call can meet',
    advice: 'correct it; an evening and a morning are two rules',
  },
  never_binds: {
    meaning: 'another limit of the same entry is always reached before',
    advice: 'take the loose one away, or tighten it',
  },
  never_counts: {
    meaning: 'a counter of a rule that bounds it nowhere, or leaves no room in it, or a condition that it never meets',
    advice: 'bound it with `lt` or `lte` in its own rule, or take it away',
  },
  no_default: {
    meaning: 'an Intercept file without `default`: what it does not list is refused here',
    advice: 'say `default: deny` or `default: allow`',
  },
  not_convertible: {
    meaning: 'the native language has no words for what stands there; only `convert` says it',
    advice: 'leave the file in its language, or change what stands there',
  },
  not_honoured: {
    meaning: 'a key of an Intercept file that is read, and changes nothing here',
    advice: 'take it away, or do it elsewhere: the sentence says what is missing',
  },
  not_asked: {
    meaning: 'a part of the file that is about something else than single calls: nothing of it is enforced',
    advice: 'say it with rules, if it can be said of one call',
  },
  not_quoted: {
    meaning:
      'a bare `yes`, `no`, `on` or `off`, or a time like `18:00`, is text in YAML 1.2 and a boolean or a number in older readers',
    advice: 'put it in quotes, or write `true` or `false`',
  },
  says_nothing: {
    meaning: 'a rule or a value asks nothing',
    advice: 'say what it should ask, or take it away',
  },
  shadowed: {
    meaning: 'an earlier rule stops, asks for, or matches all that this one does: it decides nothing',
    advice: 'take one of the two away, or put the narrower one first',
  },
  too_large: {
    meaning: 'the file, its depth, its aliases or its number of rules is over a limit',
    advice: 'split it; the limits are in [limits.md](limits.md)',
  },
  uncompiled: {
    meaning: 'the file has no mistake, and cannot be compiled here',
    advice:
      'the sentence ends with an error code of the table above; the place is the line of the rule, where it is known',
  },
  unknown_argument: {
    meaning: 'the tool or prompt of the server has no such argument; only where a server was asked',
    advice:
      'correct the spelling: `required: false` and `forbidden` aside, a rule about an argument that is never there refuses or holds every call',
  },
  unknown_key: {
    meaning: 'the key is none of this place; the sentence has those that are, and the nearest spelling',
    advice: 'correct the spelling',
  },
  unknown_language: {
    meaning: 'the file cannot be told to be a policy by its keys',
    advice: 'begin it with `version: "1"`, or see `docs/policies`',
  },
  unknown_prompt: {
    meaning: 'the server lists no such prompt; only where a server was asked',
    advice: 'correct the spelling, or take the entry away',
  },
  unknown_tool: {
    meaning: 'the server lists no such tool; only where a server was asked',
    advice: 'correct the spelling, or take the entry away',
  },
  unknown_value: {
    meaning: 'the server says that the argument never has this value; only where a server was asked',
    advice: 'correct the spelling, or take the value away',
  },
  unreachable: {
    meaning: 'every call is refused before this rule or entry is asked',
    advice: 'take it away, or narrow what refuses the calls: no entry overrides another',
  },
  unreadable: {
    meaning: 'the file is missing or a folder, is not UTF-8, or has characters that no policy may have',
    advice: 'read the sentence',
  },
  wrong_value: {
    meaning: 'the value is not of the kind that is asked for; the sentence has what is',
    advice: 'write it as the sentence says',
  },
  yaml_syntax: {
    meaning: 'the file is not YAML',
    advice: 'mend the place',
  },
  yaml_unsupported: {
    meaning: 'YAML that two readers could take differently: tags, merge keys, a second document, another YAML version',
    advice: 'write it out',
  },
}
