/** What a refused caller is told: words for the model, the decision for programs. */
import type { Decision } from '../model/decision.ts'
import type { Act, Id, JsonObject } from '../model/message/message.ts'
import { quoted } from '../model/message/quoted.ts'
import type { ReasonCode } from '../model/reasons.ts'
import { protocolVersionKey } from './methods.ts'

/** Our key in `_meta` and in an error's `data`: everything of ours on the wire stands under it. */
export const decisionKey = 'dev.tollgate/decision'

export const errorCodes = {
  parse: -32700,
  invalidRequest: -32600,
  unknownMethod: -32601,
  invalidParams: -32602,
  internal: -32603,
  /** Resource not found, before the revision of 2026-07-28. */
  resourceNotFoundLegacy: -32002,
  /** Refused by policy: our own, outside the ranges that JSON-RPC and MCP reserve. */
  refused: -31403,
  /** Over HTTP: nobody knows who calls, or nobody may who calls so. Our own as well. */
  unknownCaller: -31401,
  /** A limit of the gate is reached that does not last. Our own as well. */
  busy: -31429,
  /** Over HTTP: no such session, as SDK servers say it. */
  sessionNotFound: -32001,
  /** Over HTTP: a header says something else than the body. */
  headerMismatch: -32020,
} as const

/** What of a request shapes the answer to it. */
export interface Asked {
  readonly id: Id | null
  readonly method: string
  readonly modern: boolean
}

export function isModern(params: JsonObject | undefined): boolean {
  const meta = params?.['_meta']
  return typeof meta === 'object' && meta !== null && typeof (meta as JsonObject)[protocolVersionKey] === 'string'
}

/**
 * The answer to a call that may not go on. A tool's is a result, so that the model reads the reason; it has no
 * `structuredContent`, because v1 clients check that against the tool's schema and throw such an answer away.
 */
export function refusal(asked: Asked, decision: Decision, errorCode: number = errorCodes.refused): string {
  const text = refusalText(decision)
  const told = decisionMember(decision)
  if (asked.method !== 'tools/call' || asked.id === null) return errorLine(asked.id, errorCode, text, told)
  const result = { isError: true, content: [{ type: 'text', text }], _meta: told }
  return resultLine(asked.id, asked.modern ? { resultType: 'complete', ...result } : result)
}

/** The answer for what the caller may not know of: as if it did not exist. */
export function notFound(asked: Asked, { method, name }: Pick<Act, 'method' | 'name'>): string {
  switch (method) {
    case 'tools/call':
      return errorLine(asked.id, errorCodes.invalidParams, `Unknown tool: ${name}`)
    case 'prompts/get':
      return errorLine(asked.id, errorCodes.invalidParams, `Unknown prompt: ${name}`)
    case 'resources/read': {
      const code = asked.modern ? errorCodes.invalidParams : errorCodes.resourceNotFoundLegacy
      return errorLine(asked.id, code, `Resource not found: ${name}`)
    }
  }
  return method satisfies never
}

export function unknownMethod(asked: Asked): string {
  return errorLine(asked.id, errorCodes.unknownMethod, `Method not found: ${quoted(asked.method)}`)
}

export function errorLine(id: Id | null, code: number, message: string, data?: unknown): string {
  return JSON.stringify({ jsonrpc: '2.0', id, error: { code, message, ...(data !== undefined && { data }) } })
}

/** The decision for programs, as it stands in `_meta` and in `data`. */
export function decisionMember(decision: Decision): object {
  return { [decisionKey]: toldOf(decision) }
}

export function resultLine(id: Id, result: unknown): string {
  return JSON.stringify({ jsonrpc: '2.0', id, result })
}

/** Named one by one: a field that a decision may gain later is not for the agent by default. */
function toldOf(decision: Decision) {
  const { reason_code, rule, message, decision_id, revision, risk_level, retry_after_ms, approval } = decision
  const { variant, pack_sha256 } = decision
  return {
    decision: decision.decision,
    reason_code,
    rule,
    message,
    decision_id,
    revision,
    ...(variant !== undefined && { variant }),
    ...(pack_sha256 !== undefined && { pack_sha256 }),
    ...(risk_level !== undefined && { risk_level }),
    ...(retry_after_ms !== undefined && { retry_after_ms }),
    ...(approval !== undefined && { approval }),
  }
}

/** Some clients show the model the text alone, without `isError`: so it says by itself that nothing happened. */
export function refusalText({ decision, reason_code, message, approval, retry_after_ms }: Decision): string {
  const why = message.replace(/[.\s]+$/, '')
  if (decision === 'hold' && approval !== undefined) {
    return `Waiting for approval ${approval.id}: ${why}. Nothing was done. A person may approve it until ${approval.expires_at}. Once that is so, make the same call again, with the same arguments: it then runs, once.`
  }
  if (reason_code === ('KILLED' satisfies ReasonCode)) return `Stopped: ${why}. Stop, and call no more tools.`
  if (decision === 'kill') return `Session ended by policy: ${why}. Stop, and call no more tools.`
  if (retry_after_ms !== undefined) return `Blocked by policy: ${why}. Try again in ${durationText(retry_after_ms)}.`
  return `Blocked by policy: ${why}. Do not retry unchanged.`
}

/** Rounded up, so that whoever waits this long has waited long enough. */
export function durationText(ms: number): string {
  const seconds = Math.max(1, Math.ceil(ms / 1_000))
  if (seconds < 120) return `${seconds} s`
  const minutes = Math.ceil(seconds / 60)
  if (minutes < 120) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`
}
