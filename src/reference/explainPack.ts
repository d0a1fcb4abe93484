/** Why a policy pack decides as it does: what it asks of a run, in order, up to the first thing that stops the call. */
import type { Input } from '../model/call.ts'
import type { Json } from '../model/canonical.ts'
import type { PackPolicy, Workflow } from '../model/pack/policy.ts'
import type { RunFacts } from '../model/pack/run.ts'
import { type Stop, stops } from '../model/pack/stops.ts'
import type { Seen, Step } from './explain.ts'
import { evaluatePack } from './pack.ts'

interface Asked {
  readonly policy: PackPolicy
  readonly workflow?: Workflow
}

/** What is asked, which attributes of the run it is about, and what would do. */
type Question = readonly [asks: string, about: readonly (keyof RunFacts)[], wanted: (asked: Asked) => string]

const registered = (attribute: keyof RunFacts): Question => [
  `the run says its \`${attribute}\``,
  [attribute],
  () => `a registration of the run whose \`${attribute}\` is one of the values that it may have`,
]
const ofWorkflow = (say: (workflow: Workflow) => string) => (asked: Asked) =>
  asked.workflow ? say(asked.workflow) : 'a workflow of the pack'
const list = (words: readonly string[]) => words.map((word) => `\`${word}\``).join(', ') || 'none'

const questions: Readonly<Record<Stop, Question>> = {
  RESOURCE_NOT_ALLOWED: ['the call is of a tool', [], () => 'a call of a tool: a pack speaks of nothing else'],
  PROMPT_NOT_ALLOWED: ['the call is of a tool', [], () => 'a call of a tool: a pack speaks of nothing else'],
  RUN_MISSING: ['the call belongs to a run', [], () => 'a run that the host of the agent registered with the call'],
  KILL_SIGNAL: ['no kill signal fired', ['kill_signals'], () => 'a run without a kill signal'],
  TOOL_NOT_ALLOWED: [
    'it is said what the tool does',
    ['unmapped'],
    ({ policy }) => `a tool whose doing the operator says: ${list((policy.tools ?? []).map(({ key }) => key))}`,
  ],
  RUN_CONFLICT: ['all that is said of the run agrees', ['conflict'], () => 'one value for that attribute'],
  RUN_ATTRIBUTE_ODD: ['every attribute is spelt as it is known', ['odd'], () => 'the spelling that is known'],
  WORKFLOW_ID_INVALID: registered('workflow_id'),
  AGENT_ID_INVALID: registered('agent_id'),
  RUN_ID_INVALID: registered('run_id'),
  TOOL_NAMESPACE_INVALID: registered('tool_namespace'),
  TOOL_ACCESS_MODE_INVALID: registered('tool_access_mode'),
  GATE_PHASE_INVALID: registered('gate_phase'),
  AGENT_CLASS_INVALID: registered('agent_class'),
  CHANGE_CLASS_INVALID: ['classes of change are texts', ['change_classes'], () => 'texts, or none'],
  EVIDENCE_INVALID: ['evidence records can be read', ['evidence'], () => 'records with an id, and a URI or a digest'],
  MATURITY_STAGE_INVALID: ['the stage is known', ['maturity_stage'], () => '`crawl`, `walk` or `run`'],
  BRANCH_NAME_INVALID: ['the branch can be read', ['branch_name'], () => 'the name of the branch, as a text'],
  CHANGED_PATHS_INVALID: [
    'the changed files can be read',
    ['changed_paths'],
    () => 'the paths of all files that change',
  ],
  DIFF_LINE_COUNT_INVALID: ['the changed lines can be counted', ['diff_line_count'], () => 'how many lines change'],
  WORKFLOW_UNKNOWN: [
    'the pack has the workflow',
    ['workflow_id'],
    ({ policy }) => `a workflow of the pack: ${list(policy.workflows.map(({ id }) => id))}`,
  ],
  WORKFLOW_NOT_ACTIVE: [
    'the workflow is active',
    ['workflow_id'],
    ({ policy, workflow }) =>
      `a workflow that is ${policy.statuses.join(' or ')}${workflow ? `; this one is ${workflow.status}` : ''}`,
  ],
  WORKFLOW_OUTSIDE_MATURITY: [
    'the workflow may go this far',
    ['maturity_stage'],
    ({ policy, workflow }) =>
      `a stage of ${policy.stages.join(', ')}${workflow ? `, and none beyond that of the workflow, ${workflow.stage}` : ''}`,
  ],
  AGENT_NOT_ALLOWED: [
    'the agent may run the workflow',
    ['agent_class', 'agent_id'],
    ofWorkflow(({ agents }) => `an agent of ${list(agents)}`),
  ],
  TOOL_SCOPE_NOT_ALLOWED: [
    'the workflow may use the tool in this way',
    ['tool_namespace', 'tool_access_mode'],
    ofWorkflow(({ scopes }) => `one of ${list(scopes.map(({ namespace, access }) => `${namespace} ${access}`))}`),
  ],
  GATE_PHASE_NOT_DECLARED: [
    'the workflow declares the phase',
    ['gate_phase'],
    ofWorkflow(({ phases }) => `one of ${list(phases.map(({ phase }) => phase))}`),
  ],
  EVIDENCE_MISSING: [
    'the records of the phase are there',
    ['gate_phase', 'evidence'],
    ofWorkflow(
      ({ phases }) =>
        `the records of the phase: ${phases.map(({ phase, evidence }) => `${phase}: ${list(evidence)}`).join('; ')}`,
    ),
  ],
  BRANCH_NOT_ALLOWED: [
    'the branch is one of the workflow',
    ['branch_name'],
    ofWorkflow(({ branchPrefix }) => `a branch that begins with \`${branchPrefix}\``),
  ],
  TOO_MANY_FILES: [
    'few enough files change',
    ['changed_paths'],
    ofWorkflow(({ maxChangedFiles }) => `at most ${maxChangedFiles} files`),
  ],
  DIFF_TOO_LARGE: [
    'few enough lines change',
    ['diff_line_count'],
    ofWorkflow(({ maxDiffLines }) => `at most ${maxDiffLines} lines`),
  ],
  PATH_UNSAFE: [
    'every path can mean one file only',
    ['changed_paths'],
    () => 'plain relative paths, without `..` and backslashes',
  ],
  PATH_FORBIDDEN: [
    'no file is forbidden',
    ['changed_paths'],
    ofWorkflow(({ forbiddenPaths }) => `no file of ${list(forbiddenPaths)}`),
  ],
  PATH_NOT_ALLOWED: [
    'every file is within the scope',
    ['changed_paths'],
    ofWorkflow(({ allowedPaths }) => `files of ${list(allowedPaths)}`),
  ],
  APPROVAL_DENIED: ['no person refused it', ['approval'], () => 'approval by a person, in the place of the refusal'],
  APPROVAL_REQUIRED: [
    'a person approved it, where that is needed',
    ['approval', 'change_classes'],
    ({ policy: { routineChanges } }) =>
      `${routineChanges ? `a change of a class that needs none: ${list(routineChanges)}; or ` : ''}approval by a person: a record with an approver who is not the agent, a scope that names the call, and times that hold now`,
  ],
}

/** What is asked where this could stop a call. */
export function stopText(stop: Stop): string {
  return questions[stop][0]
}

const first: readonly Stop[] = ['RUN_MISSING', 'KILL_SIGNAL']
const ofOthers: readonly Stop[] = ['RESOURCE_NOT_ALLOWED', 'PROMPT_NOT_ALLOWED']
const approvals: readonly Stop[] = ['APPROVAL_DENIED', 'APPROVAL_REQUIRED']
/** Asked of what is there before anything else, and of what is missing when a branch is written. */
const ofWrites: readonly Stop[] = ['BRANCH_NAME_INVALID', 'CHANGED_PATHS_INVALID', 'DIFF_LINE_COUNT_INVALID']

export function explainPack(policy: PackPolicy, input: Input): readonly Step[] {
  const { reason_code, rule, decision } = evaluatePack(policy, input)
  const workflow = policy.workflows.find(({ id }) => id === input.run?.workflow_id)
  const asked = { policy, ...(workflow && { workflow }) }
  const order = orderFor(input)
  const at = decision === 'allow' ? order.length : order.lastIndexOf(reason_code as Stop)
  const steps = order.map((stop, index) => stepOf(stop, index - at, asked, input))
  return decision === 'allow'
    ? [...steps, { rule, asks: 'nothing stopped the call', saw: [], result: 'passed', decides: true }]
    : steps
}

function orderFor({ run, method }: Input): readonly Stop[] {
  const others = ofOthers.filter((_, index) => method === (index === 0 ? 'resources/read' : 'prompts/get'))
  const middle = (Object.keys(stops) as Stop[]).filter((stop) => ![...first, ...ofOthers, ...approvals].includes(stop))
  const readable = !run || (run.branch_name !== null && run.changed_paths !== null && run.diff_line_count !== null)
  const writes = readable && run?.tool_access_mode === 'write_branch' ? ofWrites : []
  const after = middle.indexOf('BRANCH_NOT_ALLOWED')
  return [...others, ...first, ...middle.slice(0, after), ...writes, ...middle.slice(after), ...approvals]
}

/** `from` says how far behind the step that decides it stands. */
function stepOf(stop: Stop, from: number, asked: Asked, { run }: Input): Step {
  const [asks, about, wanted] = questions[stop]
  const { rule } = stops[stop]
  const place = asked.workflow && { place: asked.workflow.place }
  if (from > 0) return { rule, ...place, asks, saw: [], result: 'not_reached', decides: false }
  const saw = about.flatMap((attribute) => seen(attribute, run))
  if (from < 0) return { rule, ...place, asks, saw, result: 'passed', decides: false }
  return { rule, ...place, asks, saw, result: 'failed', decides: true, otherwise: [wanted(asked)] }
}

/** What was found wrong with the registration is there only where something is. */
const findings: readonly (keyof RunFacts)[] = ['unmapped', 'conflict', 'odd']

function seen(attribute: keyof RunFacts, run: RunFacts | undefined): readonly Seen[] {
  const value = run?.[attribute]
  if (value === undefined && findings.includes(attribute)) return []
  return [{ name: `\`${attribute}\` of the run`, ...(value !== undefined && { value: value as Json }) }]
}
