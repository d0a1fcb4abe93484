/**
 * The record by which a host says that a person approved: a status, who, when, until when and what. Less than all of that
 * approves nothing: not a bare `true`, not a sentence from a chat.
 */
import type { Json } from '../canonical.ts'
import { attributeCharsMax, runItemsMax } from './limits.ts'

export interface ApprovalFacts {
  readonly approved_at?: string
  readonly approver?: string
  /** Does its scope name this call? */
  readonly covers: boolean
  readonly expires_at?: string
  readonly status: 'approved' | 'denied' | 'pending'
}

/** The target of the call, which an approval may name. */
export interface Covered {
  readonly server: string
  readonly tool: string
}

type Known = string | null | undefined

export interface Named extends Covered {
  readonly workflow: Known
  readonly runId: Known
  readonly namespace: Known
  readonly access: Known
  readonly classes: readonly string[]
}

const approvedWords = new Set(['approved', 'approve', 'granted', 'accepted', 'allowed', 'allow'])
const deniedWords = new Set(['denied', 'deny', 'rejected', 'reject', 'declined', 'revoked'])

/** Undefined where there is no record at all. */
export function approvalFacts(record: Json | undefined, named: Named): ApprovalFacts | undefined {
  if (record === undefined || record === null || record === false || record === '') return undefined
  if (typeof record !== 'object' || Array.isArray(record)) return { covers: false, status: 'pending' }
  const { status, decision, approver, approved_at, expires_at, scope } = record as Readonly<Record<string, Json>>
  const [from, until, who] = [instant(approved_at), instant(expires_at), word(approver)]
  return {
    ...(from !== undefined && { approved_at: from }),
    ...(who !== undefined && { approver: who }),
    covers: covers(scope, named),
    ...(until !== undefined && { expires_at: until }),
    status: statusOf([status, decision].filter((said) => said !== undefined)),
  }
}

/** One no is a no; a word that is not known decides nothing yet. */
function statusOf(said: readonly Json[]): ApprovalFacts['status'] {
  const words = said.map((one) => (typeof one === 'string' ? one.trim().toLowerCase() : ''))
  if (words.some((one) => deniedWords.has(one))) return 'denied'
  return words.length > 0 && words.every((one) => approvedWords.has(one)) ? 'approved' : 'pending'
}

const rfc3339 = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2})$/

/** As the times of input documents are written, so that texts compare as instants do. */
function instant(value: Json | undefined): string | undefined {
  const at = typeof value === 'string' && rfc3339.test(value) ? Date.parse(value) : Number.NaN
  return Number.isNaN(at) ? undefined : new Date(at).toISOString()
}

function word(value: Json | undefined): string | undefined {
  if (typeof value !== 'string' || value.length > attributeCharsMax || /\p{Cc}/u.test(value)) return undefined
  return value.trim() === '' ? undefined : value.trim()
}

/** A text, or a list of which one will do, that names the call; or a map of which every member must. */
function covers(scope: Json | undefined, named: Named): boolean {
  if (typeof scope === 'string') return namesOf(named).includes(scope)
  if (Array.isArray(scope)) return scope.slice(0, runItemsMax).some((one: Json) => covers(one, named))
  if (scope === undefined || scope === null || typeof scope !== 'object') return false
  const members = Object.entries(scope)
  return members.length > 0 && members.every(([key, value]) => memberCovers(key, value, named))
}

function memberCovers(key: string, value: Json | undefined, named: Named): boolean {
  const { workflow, runId, namespace, access, classes, server, tool } = named
  const words = new Map<string, readonly Known[]>([
    ['workflow_id', [workflow]],
    ['run_id', [runId]],
    ['tool_namespace', [namespace]],
    ['namespace', [namespace]],
    ['tool_access_mode', [access]],
    ['access', [access]],
    ['scope_id', [[workflow, namespace, access].join(':')]],
    ['change_class', classes],
    ['server', [server]],
    ['tool', [tool]],
  ])
  return typeof value === 'string' && (words.get(key) ?? []).includes(value)
}

function namesOf({ workflow, runId, namespace, access, classes, server, tool }: Named): readonly Known[] {
  return [
    workflow,
    runId,
    namespace,
    `${namespace}:${access}`,
    `${workflow}:${namespace}`,
    `${workflow}:${namespace}:${access}`,
    ...classes,
    tool,
    `${server}/${tool}`,
  ]
}
