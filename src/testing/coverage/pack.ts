/** Coverage of a policy pack: of each workflow its scopes, and each thing that it asks of a run. */
import type { Input } from '../../model/call.ts'
import type { PackPolicy, Workflow } from '../../model/pack/policy.ts'
import type { Stop } from '../../model/pack/stops.ts'
import { explainPack, stopText } from '../../reference/explainPack.ts'
import { evaluatePack } from '../../reference/pack.ts'
import { type Item, newItem, type Tally } from './item.ts'

interface Items {
  /** By namespace and access. */
  readonly scopes: ReadonlyMap<string, Item>
  /** What is asked of its runs, by the words of the question. */
  readonly asked: ReadonlyMap<string, Item>
}

export function tallyOfPack(policy: PackPolicy): Tally {
  const workflows = new Map(policy.workflows.map((workflow) => [workflow.id, itemsOf(policy, workflow)]))
  const items = [...workflows.values()].flatMap(({ scopes, asked }) => [...scopes.values(), ...asked.values()])
  return {
    items,
    saw(input) {
      const own = workflows.get(input.run?.workflow_id ?? '')
      if (own) count(policy, own, input)
    },
  }
}

function itemsOf(policy: PackPolicy, workflow: Workflow): Items {
  const { id, place, scopes } = workflow
  const name = (what: string) => `${id}: ${what}`
  const stopped = stopsOf(policy, workflow)
  const isActive = !stopped.includes('WORKFLOW_NOT_ACTIVE') && !stopped.includes('WORKFLOW_OUTSIDE_MATURITY')
  return {
    scopes: new Map(
      (isActive ? scopes : []).map(({ namespace, access }) => [
        `${namespace} ${access}`,
        newItem({ kind: 'entry', name: name(`${namespace} ${access}`), place }),
      ]),
    ),
    asked: new Map(
      stopped.map((stop) => [
        stopText(stop),
        newItem({ kind: 'rule', name: name(stopText(stop)), place, covers: isActive ? 'decided_and_met' : 'decided' }),
      ]),
    ),
  }
}

/** What can stop a run of the workflow, of all that differs between workflows. */
function stopsOf(policy: PackPolicy, workflow: Workflow): readonly Stop[] {
  if (!policy.statuses.includes(workflow.status)) return ['WORKFLOW_NOT_ACTIVE']
  if (!policy.stages.includes(workflow.stage)) return ['WORKFLOW_OUTSIDE_MATURITY']
  const { scopes, phases, forbiddenPaths } = workflow
  const writes = scopes.some(({ access }) => access === 'write_branch')
  const branch: readonly Stop[] = writes
    ? ['BRANCH_NOT_ALLOWED', 'TOO_MANY_FILES', 'DIFF_TOO_LARGE', 'PATH_NOT_ALLOWED']
    : []
  const hasEvidence =
    phases.some(({ evidence }) => evidence.length > 0) && scopes.some(({ access }) => access !== 'read')
  return [
    'AGENT_NOT_ALLOWED',
    'TOOL_SCOPE_NOT_ALLOWED',
    'GATE_PHASE_NOT_DECLARED',
    ...(hasEvidence ? (['EVIDENCE_MISSING'] as const) : []),
    ...branch,
    ...(writes && forbiddenPaths.length > 0 ? (['PATH_FORBIDDEN'] as const) : []),
    ...(scopes.some(({ needsApproval }) => needsApproval) ? (['APPROVAL_REQUIRED'] as const) : []),
  ]
}

function count(policy: PackPolicy, { scopes, asked }: Items, input: Input): void {
  const { run } = input
  if (!run) return
  const { decision } = evaluatePack(policy, input)
  const scope = scopes.get(`${run.tool_namespace} ${run.tool_access_mode}`)
  for (const { asks, result } of explainPack(policy, input)) {
    const item = asked.get(asks)
    if (!item || result === 'not_reached') continue
    item.asked++
    if (result !== 'passed') item.decided++
    else if (isAskedOf(asks, run.tool_access_mode)) item.met++
  }
  if (!scope) return
  scope.asked++
  if (decision === 'allow' || decision === 'hold') scope.decided++
}

const ofBranches = new Set(
  (['BRANCH_NOT_ALLOWED', 'TOO_MANY_FILES', 'DIFF_TOO_LARGE', 'PATH_NOT_ALLOWED', 'PATH_FORBIDDEN'] as const).map(
    stopText,
  ),
)

/** What is asked of writes alone passes for a read without being met. */
function isAskedOf(asks: string, access: string | null | undefined): boolean {
  if (asks === stopText('EVIDENCE_MISSING')) return access !== 'read'
  return access === 'write_branch' || !ofBranches.has(asks)
}
