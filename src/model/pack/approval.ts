/**
 * The record by which a host says that a person approved: a status, who, when, until when and what. Less than all of that
 * approves nothing: not a bare `true`, not a sentence from a chat.
 */
import type { Json } from '../canonical.ts'
import { instantOf } from '../time.ts'
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
  /** By what names the agent is known. */
  readonly agents: readonly Known[]
}

const approvedWords = new Set(['approved', 'approve', 'granted', 'accepted', 'allowed', 'allow'])
const deniedWords = new Set(['denied', 'deny', 'rejected', 'reject', 'declined', 'revoked'])

/** Undefined where there is no record at all. */
export function approvalFacts(record: Json | undefined, named: Named): ApprovalFacts | undefined {
  if (record === undefined || record === null || record === false || record === '') return undefined
  if (typeof record !== 'object' || Array.isArray(record)) return { covers: false, status: 'pending' }
  const { status, decision, approver, approved_at, expires_at, scope } = record as Readonly<Record<string, Json>>
  const [from, until, who] = [instant(approved_at), instant(expires_at), personOf(approver, named.agents)]
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

/** As the times of input documents are written, so that texts compare as instants do: years have four digits. */
function instant(value: Json | undefined): string | undefined {
  const at = typeof value === 'string' ? instantOf(value) : undefined
  const written = at === undefined ? '' : new Date(at).toISOString()
  return /^\d{4}-/.test(written) ? written : undefined
}

/** The agent is no person, in whatever case and under which of its names it is written. */
function personOf(value: Json | undefined, agents: readonly Known[]): string | undefined {
  if (typeof value !== 'string' || value.length > attributeCharsMax || /[\p{Cc}\p{Cf}]/u.test(value)) return undefined
  const name = value.trim()
  const plain = agentWord(name)
  return name === '' || agents.some((agent) => typeof agent === 'string' && agentWord(agent) === plain)
    ? undefined
    : name
}

/** The last part of an id, in one case: `x::github-copilot` is `github_copilot`. */
function agentWord(id: string): string {
  return id
    .slice(id.lastIndexOf(':') + 1)
    .toLowerCase()
    .replaceAll('-', '_')
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
