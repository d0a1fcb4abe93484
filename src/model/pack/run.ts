/**
 * What is known of the run that a call belongs to: from what its host registered and what the caller's token claims, to
 * typed facts in the input document.
 * A member that is there and is not what it must be becomes null, which nothing takes for a yes; what is unknown, empty or
 * null is left out. Nothing here comes from the agent but the act itself: its branch, its files, their lines.
 */
import type { Json } from '../canonical.ts'
import { classOf } from './agents.ts'
import { type ApprovalFacts, approvalFacts, type Covered } from './approval.ts'
import { killKeys, runAttributes } from './attributes.ts'
import { changeClass } from './changes.ts'
import type { ClaimedAttribute } from './claims.ts'
import { attributeCharsMax, changedPathsMax, pathCharsMax, runItemsMax } from './limits.ts'
import { isUnsafeBranch } from './paths.ts'
import type { Access } from './words.ts'

/** As the host of the agent registered it. */
export type Run = { readonly [attribute: string]: Json | undefined }

/** What a tool does, as the operator says, and what the arguments of this call say it does it to. */
export interface Act {
  readonly namespace: string
  readonly access: Access
  readonly branch?: string | null
  readonly paths?: readonly string[] | null
  readonly lines?: number | null
}

/** In the order of canonical JSON. */
export interface RunFacts {
  readonly agent_class?: string | null
  readonly agent_id?: string | null
  readonly approval?: ApprovalFacts
  readonly branch_name?: string | null
  readonly change_classes?: readonly string[] | null
  readonly changed_paths?: readonly string[] | null
  /** An attribute that two sources tell differently. */
  readonly conflict?: string
  readonly diff_line_count?: number | null
  /** Ids of the evidence records that exist. */
  readonly evidence?: readonly string[] | null
  readonly gate_phase?: string | null
  /** Signals that fired. */
  readonly kill_signals: readonly string[]
  readonly maturity_stage?: string | null
  /** An attribute whose name is nearly one that is known. */
  readonly odd?: string
  readonly run_id?: string | null
  readonly tool_access_mode?: string | null
  readonly tool_namespace?: string | null
  /** The operator says what tools do, and says nothing of this one. */
  readonly unmapped?: true
  readonly workflow_id?: string | null
}

const attributes: ReadonlySet<string> = new Set(runAttributes)
const plainly = (name: string) => name.toLowerCase().replace(/[^a-z0-9]/g, '')
const plainAttributes: ReadonlySet<string> = new Set(runAttributes.map(plainly))
/** A kill signal under a name of its own must not be passed over. */
const isNearlyKnown = (plain: string) => plainAttributes.has(plain) || /(?<!s)kill/.test(plain)

/** Who says something of a run. */
export interface RunSources {
  readonly registered: Run
  /** Of what is in it nothing else is believed; null is what is not claimed. */
  readonly claimed?: Run | undefined
  /** Undefined where nothing says what the tool does; `unmapped` where something says it of other tools alone. */
  readonly act?: Act | 'unmapped' | undefined
}

export function runFacts({ registered: run, claimed = {}, act }: RunSources, covered: Covered): RunFacts {
  const bound = act === 'unmapped' ? undefined : act
  const who = (attribute: ClaimedAttribute) =>
    Object.hasOwn(claimed, attribute) ? (textOf(claimed[attribute]) ?? null) : textOf(run[attribute])
  const agentId = who('agent_id')
  const workflow = who('workflow_id')
  const runId = who('run_id')
  const namespace = bound?.namespace ?? textOf(run['tool_namespace'])
  const access = bound?.access ?? textOf(run['tool_access_mode'])
  const classes = classesOf(run)
  const conflict = conflictOf(run, claimed, bound)
  const odd = Object.keys(run).find((key) => !attributes.has(key) && isNearlyKnown(plainly(key)))
  const agentClass = classOf(who('agent_class'), agentId)
  const agents = [agentId, agentClass]
  const named = { ...covered, workflow, runId, namespace, access, classes: classes ?? [], agents }
  return present({
    agent_class: agentClass,
    agent_id: agentId,
    approval: approvalFacts(run['human_approval_record'], named),
    branch_name: branchOf(bound?.branch === undefined ? textOf(run['branch_name']) : bound.branch),
    change_classes: classes,
    changed_paths: pathsOf(run['changed_paths'], bound?.paths),
    conflict,
    diff_line_count: linesOf(run['diff_line_count'], bound?.lines),
    evidence: evidenceOf(run['evidence_records']),
    gate_phase: textOf(run['gate_phase']),
    kill_signals: killKeys.flatMap((key) => signalsOf(run[key])),
    maturity_stage: who('maturity_stage'),
    odd: odd?.slice(0, attributeCharsMax),
    run_id: runId,
    tool_access_mode: access,
    tool_namespace: namespace,
    ...(act === 'unmapped' && { unmapped: true as const }),
    workflow_id: workflow,
  })
}

function present(facts: { readonly [K in keyof RunFacts]: RunFacts[K] | undefined }): RunFacts {
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined)) as unknown as RunFacts
}

function isNothing(value: Json | undefined): value is null | undefined | '' {
  return value === undefined || value === null || value === ''
}

/** One line of text, all of it to be seen: undefined for nothing, null for anything else. */
function textOf(value: Json | undefined, charsMax = attributeCharsMax): string | null | undefined {
  if (isNothing(value)) return undefined
  const fits =
    typeof value === 'string' && value.length <= charsMax && value.trim() === value && !/[\p{Cc}\p{Cf}]/u.test(value)
  return fits ? value : null
}

function classesOf(run: Run): readonly string[] | null | undefined {
  const given = [run['change_class'], run['change_classes']].filter((value) => !isNothing(value))
  if (given.length === 0) return undefined
  const items = given.flatMap((value) => (Array.isArray(value) ? value : [value])) as readonly Json[]
  const texts = items.map((item) => textOf(item))
  if (texts.length > runItemsMax || !texts.every((text) => typeof text === 'string')) return null
  return [...new Set(texts.map((text) => changeClass(text as string)))].sort()
}

function branchOf(name: string | null | undefined): string | null | undefined {
  return typeof name === 'string' && isUnsafeBranch(name) ? null : name
}

/** Both sources count: a call that changes what neither the host nor its arguments may is refused for either. */
function pathsOf(value: Json | undefined, ofAct: Act['paths']): readonly string[] | null | undefined {
  const given = isNothing(value) ? undefined : pathTexts(Array.isArray(value) ? value : [value])
  if (given === null || ofAct === null) return null
  if (given === undefined && ofAct === undefined) return undefined
  const paths = [...new Set([...(given ?? []), ...(ofAct ?? [])])].sort()
  return paths.length > changedPathsMax ? null : paths
}

/** Texts that may be paths; what they reach is the policy's to judge. */
export function pathTexts(items: readonly Json[]): readonly string[] | null {
  if (items.length > changedPathsMax) return null
  const texts = items.map((item) => (typeof item === 'string' && item !== '' ? textOf(item, pathCharsMax) : null))
  return texts.every((text) => typeof text === 'string') ? texts : null
}

function linesOf(value: Json | undefined, ofAct: Act['lines']): number | null | undefined {
  const given = isNothing(value) ? undefined : Number.isSafeInteger(value) && (value as number) >= 0 ? value : null
  if (given === null || ofAct === null) return null
  if (given === undefined) return ofAct
  return Math.max(given as number, ofAct ?? 0)
}

/** A record is named by its id, and is somewhere: under a URI, or known by its digest. */
function evidenceOf(value: Json | undefined): readonly string[] | null | undefined {
  if (isNothing(value)) return undefined
  if (!Array.isArray(value) || value.length > runItemsMax) return null
  const ids = value.map((record: Json) => {
    if (record === null || typeof record !== 'object' || Array.isArray(record)) return null
    const { id, uri, sha256 } = record as Readonly<Record<string, Json | undefined>>
    return textOf(uri, 8 * attributeCharsMax) || textOf(sha256) ? textOf(id) : null
  })
  return ids.every((id) => typeof id === 'string') ? [...new Set(ids as string[])].sort() : null
}

/** Whatever is there fires: a signal that cannot be read is none that was not given. */
function signalsOf(value: Json | undefined): readonly string[] {
  if (isNothing(value) || value === false) return []
  if (Array.isArray(value)) return value.flatMap((item: Json) => signalsOf(item)).slice(0, runItemsMax)
  return [textOf(value) ?? 'unreadable']
}

function conflictOf(run: Run, claimed: Run, act: Act | undefined): string | undefined {
  const told: readonly (readonly [string, Json | undefined])[] = [
    ...Object.entries(claimed).filter(([, value]) => !isNothing(value)),
    ['tool_namespace', act?.namespace],
    ['tool_access_mode', act?.access],
    ['branch_name', act?.branch],
  ]
  return told.find(([key, value]) => value !== undefined && !isNothing(run[key]) && run[key] !== value)?.[0]
}
