/** Changes of a policy pack: what its workflows may do, where, and how much of it. */
import type { PackPolicy, ToolBinding, ToolScope, Workflow } from '../../model/pack/policy.ts'
import { pathText } from '../../model/policy.ts'
import { type Edit, each, lacking, within, without } from './edit.ts'

export function packEdits(policy: PackPolicy): readonly Edit<PackPolicy>[] {
  const workflows = [
    ...without(policy.workflows, ({ id }) => `no workflow \`${id}\``),
    ...each(policy.workflows, workflowEdits),
  ]
  const reviewed = without(policy.manualReview, (one) => `a change of class \`${one}\` needs no review`)
  const routine = without(policy.routineChanges ?? [], (one) => `a change of class \`${one}\` is not routine`)
  const tools = each(policy.tools ?? [], bindingEdits)
  return [
    ...within(reviewed, (to) => ({ ...policy, manualReview: to })),
    ...within(routine, (to) => ({ ...policy, routineChanges: to })),
    ...within(tools, (to) => ({ ...policy, tools: to })),
    ...within(workflows, (to) => ({ ...policy, workflows: to })),
  ]
}

function workflowEdits(workflow: Workflow): readonly Edit<Workflow>[] {
  const { agents, scopes, branchPrefix, allowedPaths, forbiddenPaths, maxChangedFiles, maxDiffLines } = workflow
  const phases = [
    ...without(workflow.phases, ({ phase }) => `no phase \`${phase}\``),
    ...each(workflow.phases, (one) =>
      within(
        without(one.evidence, (id) => `phase \`${one.phase}\` needs no record \`${id}\``),
        (evidence) => ({ ...one, evidence }),
      ),
    ),
  ]
  const scoped = [...without(scopes, (scope) => `no scope ${scopeText(scope)}`), ...each(scopes, approvalEdits)]
  const most = (key: 'maxChangedFiles' | 'maxDiffLines', value: number, what: string): readonly Edit<Workflow>[] =>
    [value - 1, value + 1]
      .filter((next) => next >= 0)
      .map((next) => ({ to: { ...workflow, [key]: next }, change: `at most ${value} ${what}; now: ${next}` }))
  const prefix = [...branchPrefix].slice(0, -1).join('')
  return [
    ...within(
      without(agents, (agent) => `no agent \`${agent}\``),
      (to) => ({ ...workflow, agents: to }),
    ),
    ...within(scoped, (to) => ({ ...workflow, scopes: to })),
    ...(branchPrefix === ''
      ? []
      : [
          {
            to: { ...workflow, branchPrefix: prefix },
            change: `branches begin with \`${branchPrefix}\`; now: \`${prefix}\``,
          },
        ]),
    ...within(
      without(allowedPaths, (path) => `\`${path}\` may not be changed`),
      (to) => ({ ...workflow, allowedPaths: to }),
    ),
    ...within(
      without(forbiddenPaths, (path) => `\`${path}\` is not forbidden`),
      (to) => ({ ...workflow, forbiddenPaths: to }),
    ),
    ...most('maxChangedFiles', maxChangedFiles, 'files'),
    ...most('maxDiffLines', maxDiffLines, 'lines'),
    ...within(phases, (to) => ({ ...workflow, phases: to })),
  ]
}

function approvalEdits(scope: ToolScope): readonly Edit<ToolScope>[] {
  const words = scope.needsApproval ? 'needs no approval' : 'needs approval'
  return [{ to: { ...scope, needsApproval: !scope.needsApproval }, change: `scope ${scopeText(scope)} ${words}` }]
}

function bindingEdits(tool: ToolBinding): readonly Edit<ToolBinding>[] {
  const { paths, content, branch } = tool
  return [
    ...(branch
      ? [{ to: lacking(tool, 'branch'), change: `\`${tool.key}\` names no branch by \`${pathText(branch)}\`` }]
      : []),
    ...within(
      without(paths, (path) => `\`${tool.key}\` names no file by \`${pathText(path)}\``),
      (to) => ({ ...tool, paths: to }),
    ),
    ...within(
      without(content, (path) => `\`${tool.key}\` names no text by \`${pathText(path)}\``),
      (to) => ({ ...tool, content: to }),
    ),
  ]
}

function scopeText({ namespace, access }: ToolScope): string {
  return `\`${namespace} ${access}\``
}
