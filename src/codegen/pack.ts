/**
 * From a policy pack to tables. The Rego is written by hand (`rego/pack.rego`) and the same for every pack: it finds the
 * row of a workflow by its id, so a decision costs the same among eight workflows and among a thousand.
 */
import type { Json } from '../model/canonical.ts'
import { changeClass } from '../model/pack/changes.ts'
import { oddParts } from '../model/pack/paths.ts'
import type { PackPolicy, Workflow } from '../model/pack/policy.ts'
import { packAllow, stops } from '../model/pack/stops.ts'
import { stages } from '../model/pack/words.ts'
import { entrypoint, type Generated } from './generated.ts'
import { allowedTable, forbiddenTable } from './scopes.ts'

export function generatePack(policy: PackPolicy): Generated {
  const pack = {
    workflows: Object.fromEntries(policy.workflows.map((workflow) => [workflow.id, row(workflow, policy)])),
    changes: {
      // Whether a change is asked for its class, whether a write has to say one, and the classes that need no person.
      asked: policy.manualReview.length > 0 || policy.routineChanges !== undefined,
      said: policy.routineChanges !== undefined,
      routine: truths((policy.routineChanges ?? []).map(changeClass)),
    },
    stages: Object.fromEntries(stages.map((stage, index) => [stage, index])),
    odd_parts: oddParts,
    stops,
  }
  return {
    // In the place of the dispatch by tools: there are none here.
    modules: { 'dispatch.rego': 'package tollgate\n\ndecision := data.tollgate.pack.decision\n' },
    data: { tollgate: { tables: { pack: pack as unknown as Json } } },
    entrypoints: [entrypoint],
  }
}

function row(workflow: Workflow, policy: PackPolicy): Json {
  return {
    active: policy.statuses.includes(workflow.status),
    // How far its runs may go; none may where its stage is not cleared here.
    reach: policy.stages.includes(workflow.stage) ? stages.indexOf(workflow.stage) : -1,
    agents: truths(workflow.agents),
    scopes: scopesOf(workflow),
    phases: Object.fromEntries(workflow.phases.map(({ phase, evidence }) => [phase, evidence])),
    branch_prefix: workflow.branchPrefix,
    allowed: allowedTable(workflow.allowedPaths),
    forbidden: forbiddenTable(workflow.forbiddenPaths),
    max_files: workflow.maxChangedFiles,
    max_lines: workflow.maxDiffLines,
  }
}

function scopesOf({ scopes }: Workflow): Json {
  const byNamespace = new Map<string, [string, Json][]>()
  for (const { namespace, access, variant, needsApproval } of scopes) {
    const rows = byNamespace.get(namespace) ?? []
    byNamespace.set(namespace, rows)
    rows.push([access, { verdict: packAllow(variant) as unknown as Json, needs_approval: needsApproval }])
  }
  return Object.fromEntries([...byNamespace].map(([namespace, rows]) => [namespace, Object.fromEntries(rows)]))
}

function truths(keys: readonly string[]): Json {
  return Object.fromEntries(keys.map((key) => [key, true]))
}
