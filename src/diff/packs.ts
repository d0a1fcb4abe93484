/**
 * Where two policy packs differ. What they decide depends on the runs that hosts register, which nobody solves for here: so
 * this says what stands in them, in their words, and nothing of calls.
 */
import { canonical, type Json } from '../model/canonical.ts'
import type { PackPolicy, ToolBinding, ToolScope, Workflow } from '../model/pack/policy.ts'

export interface PackDifference {
  readonly change: 'added' | 'removed' | 'changed'
  /** Whose; absent: the whole pack's. */
  readonly workflow?: string
  readonly tool?: string
  /** Absent: the workflow or the tool itself. */
  readonly member?: string
  readonly old?: Json
  readonly new?: Json
}

type Members = Readonly<Record<string, Json | undefined>>

/** Empty where only the order of workflows and tools differs, or nothing. */
export function packDifferences(old: PackPolicy, now: PackPolicy): readonly PackDifference[] {
  return [
    ...inMembers(membersOf(old), membersOf(now), {}),
    ...inNamed(
      named(old.workflows, ({ id }) => id, ofWorkflow),
      named(now.workflows, ({ id }) => id, ofWorkflow),
      'workflow',
    ),
    ...inNamed(
      named(old.tools, ({ key }) => key, ofTool),
      named(now.tools, ({ key }) => key, ofTool),
      'tool',
    ),
  ]
}

/** Words of the pack and of the settings beside it. */
function membersOf({ statuses, stages, manualReview, routineChanges, claims, pinning, tools }: PackPolicy): Members {
  return plain({
    statuses,
    maturity: stages,
    manual_review_required_for: manualReview,
    change_classes: routineChanges,
    claims,
    pinning,
    // Without the map the registration of each call says what a tool does; with an empty one none does anything.
    tools: tools === undefined ? undefined : 'said by the settings',
  })
}

function ofWorkflow({ scopes, phases, ...workflow }: Workflow): Members {
  const ofScope = ({ namespace, access, variant, needsApproval }: ToolScope) =>
    [`scope ${namespace}:${access}`, needsApproval ? `${variant}, with approval` : variant] as const
  return plain({
    status: workflow.status,
    maturity_stage: workflow.stage,
    allowed_agents: workflow.agents,
    required_branch_prefix: workflow.branchPrefix,
    allowed_paths: workflow.allowedPaths,
    forbidden_paths: workflow.forbiddenPaths,
    max_changed_files: workflow.maxChangedFiles,
    max_diff_lines: workflow.maxDiffLines,
    ...Object.fromEntries(scopes.map(ofScope)),
    ...Object.fromEntries(phases.map(({ phase, evidence }) => [`evidence of ${phase}`, evidence])),
  })
}

function ofTool({ namespace, access, branch, paths, content }: ToolBinding): Members {
  return plain({ namespace, access, branch, paths, content })
}

function plain(members: object): Members {
  return JSON.parse(JSON.stringify(members)) as Members
}

function named<T>(
  all: readonly T[] = [],
  nameOf: (one: T) => string,
  of: (one: T) => Members,
): ReadonlyMap<string, Members> {
  return new Map(all.map((one) => [nameOf(one), of(one)]))
}

function inNamed(
  old: ReadonlyMap<string, Members>,
  now: ReadonlyMap<string, Members>,
  kind: 'workflow' | 'tool',
): readonly PackDifference[] {
  return [...new Set([...old.keys(), ...now.keys()])].flatMap((name): readonly PackDifference[] => {
    const [before, after] = [old.get(name), now.get(name)]
    if (before && after) return inMembers(before, after, { [kind]: name })
    return [{ change: before ? 'removed' : 'added', [kind]: name }]
  })
}

function inMembers(old: Members, now: Members, whose: object): readonly PackDifference[] {
  return [...new Set([...Object.keys(old), ...Object.keys(now)])].flatMap((member): readonly PackDifference[] => {
    const [before, after] = [old[member], now[member]]
    if (canonical(before ?? null) === canonical(after ?? null)) return []
    const change = before === undefined ? 'added' : after === undefined ? 'removed' : 'changed'
    const values = { ...(before !== undefined && { old: before }), ...(after !== undefined && { new: after }) }
    return [{ change, ...whose, member, ...values }]
  })
}
