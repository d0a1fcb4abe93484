/** What `openGate` is given, checked: a wrong option is a mistake of the program, and a misspelt one must not be ignored. */
import { randomUUID } from 'node:crypto'
import { messageOf } from '../model/errors.ts'
import { quoted } from '../model/message/quoted.ts'
import type { TrustSaid } from '../runtime/trust.ts'
import { type Reporter, reporter } from './report.ts'
import { type Caller, readContext } from './request.ts'
import { readTrustSaid } from './trust.ts'
import type { GateOptions, GuardOptions, PolicyText } from './types.ts'

export interface Settings {
  readonly policy: string | PolicyText
  readonly ledgerFile: string
  readonly watch: boolean
  readonly trust: TrustSaid | undefined
  readonly caller: Caller
  readonly durability: 'process' | 'power'
  readonly argumentsKept: 'full' | 'digest' | 'none'
  readonly clock: (() => number) | undefined
  readonly report: Reporter
}

const optionKeys: ReadonlySet<string> = new Set<keyof GateOptions>([
  'policy',
  'ledger',
  'watch',
  'trust',
  'verifyKeys',
  'allowUnsigned',
  'entrypoint',
  'server',
  'principal',
  'session',
  'run',
  'durability',
  'argumentsKept',
  'clock',
  'onReport',
])

/** Throws a `TypeError` that names the option. */
export function readOptions(options: GateOptions): Settings {
  if (typeof options !== 'object' || options === null) throw new TypeError('`openGate` needs its options as an object')
  const unknown = Object.keys(options).find((key) => !optionKeys.has(key))
  if (unknown !== undefined) throw new TypeError(`\`openGate\` has no option ${quoted(unknown)}`)
  const { ledger, watch = false, durability = 'process', argumentsKept = 'full', clock, onReport } = options
  const { server, principal, session, run } = options
  const policy = requirePolicy(options.policy)
  if (typeof ledger !== 'string' || ledger.trim() === '')
    throw new TypeError('`ledger` is required: the path of a file, or `:memory:` to forget everything at the end')
  if (typeof watch !== 'boolean') throw new TypeError('`watch` must be a boolean')
  if (watch && typeof policy !== 'string') throw new TypeError('`watch` needs a policy that is a file')
  const trust = readTrustSaid(options)
  requireOneOf('durability', durability, ['process', 'power'])
  requireOneOf('argumentsKept', argumentsKept, ['full', 'digest', 'none'])
  requireFunction('clock', clock)
  requireFunction('onReport', onReport)
  const anyone: Caller = { server: undefined, principal: {}, session: randomUUID(), run: () => undefined }
  const caller = withContext(anyone, { server, principal, session, run })
  return {
    policy,
    ledgerFile: ledger,
    watch,
    trust,
    caller,
    durability,
    argumentsKept,
    clock,
    report: reporter(onReport),
  }
}

/** Throws a `TypeError` for what names no policy. */
export function requirePolicy(policy: unknown): string | PolicyText {
  if (typeof policy === 'string' && policy !== '') return policy
  if (typeof policy !== 'object' || policy === null)
    throw new TypeError('`policy` is required: the path of a file, or `{ name, text }`')
  const { name, text } = policy as Partial<PolicyText>
  if (typeof name !== 'string' || name === '') throw new TypeError('`policy.name` must be a name for the text')
  if (typeof text !== 'string' && !(text instanceof Uint8Array))
    throw new TypeError('`policy.text` must be a string or a Uint8Array')
  return { name, text }
}

/** The caller with what the options say instead. Throws a `TypeError`. */
export function withContext(caller: Caller, options: GuardOptions): Caller {
  try {
    return { ...caller, ...readContext(options) }
  } catch (error) {
    throw new TypeError(messageOf(error), { cause: error })
  }
}

function requireOneOf(name: string, value: unknown, allowed: readonly string[]): void {
  if (!allowed.includes(value as string)) throw new TypeError(`\`${name}\` must be one of ${allowed.join(', ')}`)
}

function requireFunction(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'function') throw new TypeError(`\`${name}\` must be a function`)
}
