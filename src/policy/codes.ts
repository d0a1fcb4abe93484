/** What each code of a mistake means, and what to do about it: the words of `docs/errors.md`. */
import type { DiagnosticCode } from './diagnostics.ts'

export interface CodeWords {
  readonly meaning: string
  readonly advice: string
}

export const diagnosticCodes: Readonly<Record<DiagnosticCode, CodeWords>> = {
  bad_name: {
    meaning:
      'a key or a name is empty, too long, has control characters, or would match everything; a warning when it has a space at its end or something that cannot be seen',
    advice: 'write the name as the server spells it',
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
  expensive: {
    meaning: 'a pattern takes milliseconds of every call',
    advice: 'repeat with `*` or `+` in the place of a count, and bound the text with `length`',
  },
  missing_key: {
    meaning: 'something required is not there',
    advice: 'add it',
  },
  misplaced_key: {
    meaning: 'the key is known, and stands where it has no meaning',
    advice: 'move it to where the sentence says',
  },
  never_binds: {
    meaning: 'another limit of the same entry is always reached before',
    advice: 'take the loose one away, or tighten it',
  },
  not_quoted: {
    meaning: 'a bare `yes`, `no`, `on` or `off` is text in YAML 1.2 and a boolean in older readers',
    advice: 'put it in quotes, or write `true` or `false`',
  },
  says_nothing: {
    meaning: 'a rule or a value asks nothing',
    advice: 'say what it should ask, or take it away',
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
  unknown_key: {
    meaning: 'the key is none of this place; the sentence has those that are, and the nearest spelling',
    advice: 'correct the spelling',
  },
  unknown_language: {
    meaning: 'the file cannot be told to be a policy by its keys',
    advice: 'begin it with `version: "1"`, or see `docs/policies`',
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
