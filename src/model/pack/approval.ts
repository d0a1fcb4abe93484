/**
 * The record by which a host says that a person approved: a status, who, when, until when and what. Less than all of that
 * approves nothing: not a bare `true`, not a sentence from a chat.
 */
import type { Json } from '../canonical.ts'
import { instantOf } from '../time.ts'
import { agentWords } from './agents.ts'
import { changeClass } from './changes.ts'
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
  const said = statusOf([status, decision].filter((one) => one !== undefined))
  return {
    ...(from !== undefined && { approved_at: from }),
    ...(who !== undefined && { approver: who }),
    covers: covers(scope, named, said),
    ...(until !== undefined && { expires_at: until }),
    status: said,
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

/** The agent is no person, in whatever case, under which of its names and as which of its instances it is written. */
function personOf(value: Json | undefined, agents: readonly Known[]): string | undefined {
  if (typeof value !== 'string' || value.length > attributeCharsMax || /[\p{Cc}\p{Cf}]/u.test(value)) return undefined
  const name = value.trim()
  const plain = agentWords(name)
  const own = agents.flatMap((agent) => (typeof agent === 'string' ? agentWords(agent) : []))
  return name === '' || plain.some((word) => own.includes(word)) ? undefined : name
}

/** A text, or a list of which one will do, that names the call; or a map of which every member must. */
function covers(scope: Json | undefined, named: Named, status: ApprovalFacts['status']): boolean {
  if (typeof scope === 'string') return namesOf(named).includes(scope) || coversChanges([scope], named, status)
  if (Array.isArray(scope)) {
    const items = scope.slice(0, runItemsMax) as readonly Json[]
    return items.some((one) => covers(one, named, status)) || coversChanges(items, named, status)
  }
  if (scope === undefined || scope === null || typeof scope !== 'object') return false
  const members = Object.entries(scope)
  return members.length > 0 && members.every(([key, value]) => memberCovers(key, value, named, status))
}

/** Who approves a change approves what is named of it: all of its classes have to be. Who refuses one of them refuses it. */
function coversChanges(
  said: readonly (Json | undefined)[],
  { classes }: Named,
  status: ApprovalFacts['status'],
): boolean {
  const approved = said.flatMap((one) => (typeof one === 'string' ? [changeClass(one)] : []))
  if (status === 'denied') return classes.some((one) => approved.includes(one))
  return classes.length > 0 && classes.every((one) => approved.includes(one))
}

function memberCovers(key: string, value: Json | undefined, named: Named, status: ApprovalFacts['status']): boolean {
  const { workflow, runId, namespace, access, server, tool } = named
  if (key === 'change_class' || key === 'change_classes')
    return coversChanges(Array.isArray(value) ? value : [value], named, status)
  const words = new Map<string, Known>([
    ['workflow_id', workflow],
    ['run_id', runId],
    ['tool_namespace', namespace],
    ['namespace', namespace],
    ['tool_access_mode', access],
    ['access', access],
    ['scope_id', [workflow, namespace, access].join(':')],
    ['server', server],
    ['tool', tool],
  ])
  return typeof value === 'string' && words.get(key) === value
}

function namesOf({ workflow, runId, namespace, access, server, tool }: Named): readonly Known[] {
  return [
    workflow,
    runId,
    namespace,
    `${namespace}:${access}`,
    `${workflow}:${namespace}`,
    `${workflow}:${namespace}:${access}`,
    tool,
    `${server}/${tool}`,
  ]
}
