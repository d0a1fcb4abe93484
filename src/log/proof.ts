/**
 * Does the record of a decision agree with itself, and with what its policy says now? Each function gives a sentence on
 * what does not, or undefined.
 */
import { hash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { canonical, type Json } from '../model/canonical.ts'
import type { Verdict } from '../model/decision.ts'
import type { LayersVerdict } from '../model/layers.ts'
import type { StoredRecord } from '../model/ledger.ts'
import { type Body, objectIn, timeOf } from './body.ts'
import { revisionNamedIn } from './policies.ts'

/** The text that was evaluated, exactly; undefined when the policy was not asked. */
export function inputTextOf(body: Body): string | undefined {
  return Object.hasOwn(body, 'input') ? canonical(body['input'] as Json) : undefined
}

export function contradictionIn(record: StoredRecord, body: Body, input: string | undefined): string | undefined {
  return besideItsRow(record, body) ?? besideItsResult(record, body, input) ?? besideItsInput(record, body, input)
}

/** What was recorded against what the policy says of the same input. */
export function differenceBetween(body: Body, asked: Verdict | LayersVerdict): string | undefined {
  const recorded = objectIn(body, 'result')
  const verdict: Body = { ...asked }
  const compared = ['decision', 'variant', 'reason_code', 'rule', 'message', 'risk_level', 'layers', 'conflicts']
  const different = compared.filter((name) => !isDeepStrictEqual(recorded[name], verdict[name]))
  if (different.length === 0) return undefined
  return different
    .map((name) => `\`${name}\` is ${shown(recorded[name])}, the policy says ${shown(verdict[name])}`)
    .join('; ')
}

function besideItsRow(record: StoredRecord, body: Body): string | undefined {
  const types = record.kind === 'decision' ? ['decision', 'refusal'] : [record.kind]
  if (!types.includes(String(body['type']))) return `its type is ${shown(body['type'])}, the record is a ${record.kind}`
  if (body['decision_id'] !== record.decisionId)
    return `its decision id is ${shown(body['decision_id'])}, the record's ${shown(record.decisionId)}`
  return unequal('time', body['timestamp'], timeOf(record))
}

/** What nobody evaluated can only be a no: an allow without an input could never be proved. */
function besideItsResult(record: StoredRecord, body: Body, input: string | undefined): string | undefined {
  const result = objectIn(body, 'result')
  if (result['decision_id'] !== record.decisionId) return `its result has the id ${shown(result['decision_id'])}`
  const revision = revisionNamedIn(body)
  if (result['revision'] !== revision)
    return `its result is of revision ${shown(result['revision'])}, its bundle ${shown(revision)}`
  if (input !== undefined) return revision === '' ? 'it has an input and names no policy' : undefined
  if ((result['decision'] === 'deny' || result['decision'] === 'kill') && result['rule'] === 'gate') return undefined
  return `it says ${shown(result['decision'])} by the rule ${shown(result['rule'])}, and has no input to prove it`
}

function besideItsInput(record: StoredRecord, body: Body, text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  // The input is the last member: so these are the very bytes that were hashed into the chain.
  if (!record.body.endsWith(`,"input":${text}}`)) return 'its input does not stand there in its canonical form'
  if (body['input_sha256'] !== hash('sha256', text)) return 'its `input_sha256` is not the digest of its input'
  const input = objectIn(body, 'input')
  const named = input['tool'] ?? input['resource'] ?? input['prompt']
  return (
    unequal('method', body['method'], input['method']) ??
    unequal('server', body['server'], input['server']) ??
    unequal('name', body['name'], named) ??
    unequal('session', body['session_id'], input['session']) ??
    unequal('time', body['timestamp'], input['time']) ??
    unequalPrincipal(objectIn(body, 'principal'), objectIn(input, 'principal'))
  )
}

function unequalPrincipal(said: Body, meant: Body): string | undefined {
  const part = ['agent', 'user', 'project', 'groups', 'claims'].find((key) => asText(said[key]) !== asText(meant[key]))
  return part === undefined ? undefined : unequal(part, said[part], meant[part])
}

function asText(value: unknown): string | undefined {
  return value === undefined ? undefined : canonical(value as Json)
}

function unequal(what: string, said: unknown, meant: unknown): string | undefined {
  return said === meant ? undefined : `its ${what} is ${shown(said)}, and was ${shown(meant)} when it was judged`
}

const shownCharsMax = 120

function shown(value: unknown): string {
  if (value === undefined) return 'missing'
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return `\`${text.length > shownCharsMax ? `${text.slice(0, shownCharsMax)}…` : text}\``
}
