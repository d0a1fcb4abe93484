/** Files that are no policy, whatever went wrong with them, and what is said of each. */

export interface BadFile {
  readonly name: string
  readonly text: string | Uint8Array
  /** What `check` says behind the name of the file, up to where it is plain what is meant. */
  readonly says: string
}

const head = 'version: "1"\ndefault: deny\n'
const rule = (text: string) => `${head}tools:\n  pay:\n    rules:\n      - ${text}\n`

/** Ten of the one before, again and again: 10 million values after seven lines. */
const bomb = Array.from({ length: 7 }, (_, index) => {
  const item = index === 0 ? '1' : `*a${index - 1}`
  return `x${index}: &a${index} [${Array.from({ length: 10 }, () => item).join(', ')}]\n`
}).join('')

export const badFiles: readonly BadFile[] = [
  { name: 'an empty file', text: '', says: '1:1: the file is empty: expected `version`' },
  { name: 'a file of comments', text: '# soon\n', says: '1:1: the file is empty: expected `version`' },
  { name: 'a list', text: '- pay\n', says: '1:1: a policy is a map, got a list: expected `version`' },
  { name: 'a scalar', text: 'deny\n', says: '1:1: a policy is a map, got a single value: expected `version`' },
  {
    name: 'two documents',
    text: `${head}tools: {}\n---\n${head}tools: {}\n`,
    says: '4:1: a policy file is one YAML document, found a second',
  },
  {
    name: 'anchors that expand to 10 million values',
    text: bomb,
    says: '5:45: the aliases of a policy stand for at most 100000 values',
  },
  {
    name: 'a file of 50 MB',
    text: `${head}tools: {}\n# ${'x'.repeat(50 * 1024 * 1024)}\n`,
    says: '1:1: it has 52428840 bytes, at most 4194304 are read',
  },
  {
    name: 'two million words',
    text: `x: [${'1,'.repeat(2_000_000)}]\n`,
    says: '1:666668: a policy has at most 1000000 words and signs',
  },
  {
    name: 'a hundred thousand levels',
    text: `x: ${'['.repeat(100_000)}`,
    says: '1:67: a policy has at most 64 levels',
  },
  { name: 'tabs', text: `${head}tools:\n\tpay: {}\n`, says: '4:1: indentation must be spaces, found a tab' },
  {
    name: 'duplicate keys',
    text: `${head}tools:\n  pay: { rules: [{ action: deny }] }\n  pay: {}\n`,
    says: '5:3: `pay` stands here twice, first on line 4',
  },
  {
    name: 'a default of `on`',
    text: 'version: "1"\ndefault: on\ntools: {}\n',
    says: '2:10: `default` must be `allow`, `deny` or `require_approval`, got "on" (YAML 1.2 reads `on` as text)',
  },
  {
    name: '`no` where a boolean is needed',
    text: rule('arguments: { a: { max: 1, required: no } }'),
    says: '6:45: `required` must be `true` or `false`, got "no" (YAML 1.2 reads `no` as text)',
  },
  {
    name: '`18:00` where a duration is needed',
    text: rule('{ action: require_approval, approval_timeout: 18:00 }'),
    says: '6:55: `approval_timeout` must be ',
  },
  {
    name: '`1e3` as a number',
    text: rule('spend: { daily: 1e3 }'),
    says: '6:25: `daily` must be an amount: a number, zero or more, with at most six decimals, got `1e3`: write it as `1000`',
  },
  {
    name: '`0777` as a number',
    text: rule('arguments: { mode: { max: 0777 } }'),
    says: '6:35: `max` must be a number, got `0777`: write it without the leading zero (YAML 1.1 reads it as octal)',
  },
  {
    name: 'a tool named null in an allowlist',
    text: 'policy_id: a\npolicy_version: "1"\nallowlist:\n  - null\n',
    says: '4:5: each of `allowlist` must be a tool name, got `null`: put it in quotes',
  },
  {
    name: 'a tool named null',
    text: `${head}tools:\n  null: {}\n`,
    says: '4:3: a bare `null` is no text in YAML: put it in quotes if it is a name',
  },
  {
    name: 'a file in Latin-1',
    text: Buffer.from('version: "1"\n# caf\xe9\n', 'latin1'),
    says: '2:6: the file must be UTF-8, found byte `0xe9`',
  },
  {
    name: 'a file in UTF-16',
    text: Buffer.from('\ufeffversion: "1"\n', 'utf16le'),
    says: '1:1: the file must be UTF-8, found byte `0xff`',
  },
  {
    name: 'a file that names another one, which is missing',
    text: 'pack: nowhere.json\n',
    says: '1:7: `nowhere.json` cannot be read: ',
  },
  { name: 'a file that names a folder', text: 'pack: .\n', says: '1:7: `.` cannot be read: ' },
  { name: 'a file with a NUL', text: `${head}tools: \0\n`, says: '3:8: the file must be text, found a NUL' },
]
