/** API keys: the file has their digests alone, and each says who calls with it. */
import { hash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Principal } from '../model/call.ts'
import { messageOf, TollgateError } from '../model/errors.ts'
import { nameCharsMax } from '../model/limits.ts'
import { nameTrouble } from '../model/message/acts.ts'
import { principalOf } from '../model/principal.ts'
import { instantOf } from '../model/time.ts'
import { formatDiagnostic, quote, Report } from '../policy/diagnostics.ts'
import { type Form, type Located, listOf, mistake, record } from '../policy/forms.ts'
import { label } from '../policy/scalars.ts'
import { type Node, readSource } from '../policy/source.ts'
import { readText, start } from '../policy/text.ts'
import { invalidToken, type TokenSource } from './caller.ts'
import { type Followed, type Following, follow, warnOfReaders } from './followed.ts'
import { apiKeysMax } from './limits.ts'

/** What an API key begins with, so that it is told from other tokens, also by those who look for lost secrets. */
const prefix = 'tgk_'

/** 256 bits of chance: its digest tells nothing about it, and needs no salt. */
export function newApiKey(): string {
  return `${prefix}${randomBytes(32).toString('base64url')}`
}

export function digestOf(key: string): string {
  return hash('sha256', key)
}

interface ApiKey {
  readonly id: string
  readonly digest: Buffer
  readonly principal: Principal
  /** Milliseconds since 1970. */
  readonly endsAt?: number
}

/** Throws at first when the file is wrong. */
export function apiKeysOf(file: string, following: Following): TokenSource {
  const keys: Followed<readonly ApiKey[]> = follow(file, (bytes) => readApiKeys(file, bytes), following)
  warnOfReaders(file, following.say)
  return {
    takes: (token) => token.startsWith(prefix),
    callerOf(token) {
      const found = find(keys.value() ?? [], Buffer.from(digestOf(token), 'hex'))
      if (found === undefined) throw invalidToken('the API key is unknown: ask for a new one')
      if (found.endsAt !== undefined && Date.now() >= found.endsAt)
        throw invalidToken('the API key has expired: ask for a new one')
      return found
    },
  }
}

/** Compares with all of them in the same time, whichever it is. */
function find(keys: readonly ApiKey[], digest: Buffer): ApiKey | undefined {
  let found: ApiKey | undefined
  for (const key of keys) if (timingSafeEqual(key.digest, digest)) found = key
  return found
}

const sha256: Form<Buffer> = {
  says: 'a SHA-256 as 64 lower-case hex digits, as `tollgate keys new` prints it',
  schema: { type: 'string', pattern: '^[0-9a-f]{64}$' },
  read(node, name, report) {
    if (node.kind === 'scalar' && typeof node.value === 'string' && /^[0-9a-f]{64}$/.test(node.text))
      return Buffer.from(node.text, 'hex')
    // The value is not shown: who mistook the two has written the key itself.
    const looksSecret = node.kind === 'scalar' && node.text.startsWith(prefix)
    if (!looksSecret) return mistake(node, name, sha256.says, report)
    report.error(node.at, 'wrong_value', `${name} must be ${sha256.says}, and not the key itself`)
    return undefined
  },
}

const instant: Form<number> = {
  says: 'a time like `"2027-01-01T00:00:00Z"`',
  schema: { type: 'string', format: 'date-time' },
  read(node, name, report) {
    const at = node.kind === 'scalar' && typeof node.value === 'string' ? instantOf(node.value) : undefined
    return at ?? mistake(node, name, instant.says, report)
  },
}

const principalName: Form<string> = {
  ...label,
  read(node, name, report) {
    const value = label.read(node, name, report)
    const trouble = value === undefined ? undefined : nameTrouble(name, value, nameCharsMax)
    if (trouble !== undefined) report.error(node.at, 'bad_name', trouble)
    return value
  },
}

export const keyKeys = {
  id: { form: label, about: 'What people call the key.', required: 'give it a name' },
  sha256: { form: sha256, about: 'The digest of the key.', required: '`tollgate keys new` prints it' },
  agent: { form: principalName, about: 'The agent that calls with it.' },
  user: { form: principalName, about: 'The person behind it.' },
  project: { form: principalName, about: 'The project it works for.' },
  groups: { form: listOf(principalName, 'a list of names', 0), about: 'Groups of the caller.' },
  expires: { form: instant, about: 'From this time on it is refused.' },
} as const

const keyForm = record('an API key: a map', keyKeys, { owner: 'an API key' })

const fileForm = record('API keys: a map with `keys`', {
  keys: { form: listOf(keyForm, 'a list of API keys', 0), about: 'The keys.', required: 'write `keys: []` for none' },
})

/** Throws `keys_invalid` with every mistake. */
export function readApiKeys(file: string, bytes: Uint8Array): readonly ApiKey[] {
  const report = new Report(file)
  const keys = keysIn(bytes, report)
  if (keys === undefined || report.failed)
    throw new TollgateError('keys_invalid', report.diagnostics().map(formatDiagnostic).join('\n'))
  return keys
}

function keysIn(bytes: Uint8Array, report: Report): readonly ApiKey[] | undefined {
  const text = readText(bytes, report)
  const root: Node | undefined = text === undefined ? undefined : readSource(text, report)
  const written = root && fileForm.read(root, 'the file', report)?.fields.keys?.value
  if (written === undefined) {
    if (!report.failed) report.error(start, 'wrong_value', 'the file holds no API keys')
    return undefined
  }
  if (written.length > apiKeysMax)
    report.error(start, 'too_large', `a file has at most ${apiKeysMax} API keys, found ${written.length}`)
  reportTwice(written, report)
  return written.flatMap((one) => keyOf(one, report))
}

type Written = Located<NonNullable<ReturnType<typeof keyForm.read>>>

function reportTwice(written: readonly Written[], report: Report): void {
  const ids = new Map<string, number>()
  const digests = new Set<string>()
  for (const { value } of written) {
    const { id, sha256: digest } = value.fields
    const first = id?.value === undefined ? undefined : ids.get(id.value)
    if (id?.value !== undefined && first !== undefined)
      report.error(id.at, 'duplicate_key', `two API keys are called ${quote(id.value)}, the first on line ${first}`)
    if (id?.value !== undefined && first === undefined) ids.set(id.value, id.at.line)
    const hex = digest?.value?.toString('hex')
    if (hex !== undefined && digests.has(hex))
      report.error((digest as { at: Written['at'] }).at, 'duplicate_key', 'the same key stands here twice')
    if (hex !== undefined) digests.add(hex)
  }
}

function keyOf({ value: { fields, misspelt }, at }: Written, report: Report): readonly ApiKey[] {
  const { id, sha256: digest, agent, user, project, groups, expires } = fields
  if (!agent && !user && !misspelt) report.error(at, 'missing_key', 'an API key names an `agent` or a `user`, or both')
  if (id?.value === undefined || digest?.value === undefined) return []
  try {
    const principal = principalOf({
      ...(agent?.value !== undefined && { agent: agent.value }),
      ...(user?.value !== undefined && { user: user.value }),
      ...(project?.value !== undefined && { project: project.value }),
      ...(groups?.value && { groups: groups.value.map((group) => group.value) }),
    })
    const endsAt = expires?.value
    return [{ id: id.value, digest: digest.value, principal, ...(endsAt !== undefined && { endsAt }) }]
  } catch (error) {
    report.error(at, 'too_large', messageOf(error))
    return []
  }
}
