/** Random packs and runs, from pools so small that most of what a run says is nearly right. */

import type { Call } from '../../src/model/call.ts'
import type { Json } from '../../src/model/canonical.ts'
import type { PackPolicy, ToolBinding, Workflow } from '../../src/model/pack/policy.ts'
import { accessDecisions, accessModes, gatePhases, stages, statuses } from '../../src/model/pack/words.ts'
import { fc } from '../random.ts'

const place = { file: 'pack.json', line: 1, col: 1 }
const agents = ['codex', 'claude', 'github_copilot']
const namespaces = ['repo', 'tickets']
const classes = ['database migrations', 'CI & deploy']
const records = ['scan', 'review']

/** Few letters, so that they meet; some that lower-case oddly. */
const name = fc.stringMatching(/^[abS.İΣ]{1,3}$/).filter((text) => !/^\.+$/.test(text) && !text.endsWith('.'))
const wild = fc.stringMatching(/^[ab.S*?]{1,4}$/).filter((text) => !text.includes('**') && !/^[.]+$/.test(text))
const segment = fc.oneof(name, wild, fc.constant('**'))

export const patterns = fc
  .array(segment, { minLength: 1, maxLength: 4 })
  .map((segments) => segments.join('/'))
  .filter((text) => (text.match(/\*+/g) ?? []).length <= 6)

export const paths = fc.oneof(
  { weight: 60, arbitrary: fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join('/')) },
  fc.constantFrom(
    '../a',
    '/a',
    'a//b',
    'a/./b',
    'a\\b',
    'C:a',
    'a/',
    'a/%2E%2e/b',
    'a/%70',
    'a/b#',
    'a/*',
    'a/b?c',
    'a/..;/b',
    'a /b',
    'a/b.',
    '',
  ),
)

const some = <T>(items: readonly T[]) => fc.subarray([...items], { minLength: 1 })

const scopes = fc.uniqueArray(
  fc.record({
    namespace: fc.constantFrom(...namespaces),
    access: fc.constantFrom(...accessModes),
    needsApproval: fc.boolean(),
  }),
  { selector: ({ namespace, access }) => `${namespace}:${access}`, minLength: 5, maxLength: 8 },
)

const workflow = (id: string): fc.Arbitrary<Workflow> =>
  fc.record({
    id: fc.constant(id),
    status: fc.oneof({ weight: 12, arbitrary: fc.constant('active' as const) }, fc.constantFrom(...statuses)),
    stage: fc.oneof({ weight: 4, arbitrary: fc.constant('run' as const) }, fc.constantFrom(...stages)),
    agents: fc.oneof({ weight: 4, arbitrary: fc.constant(agents) }, some(agents)),
    scopes: scopes.map((list) =>
      list.map((scope) => {
        const earned = accessDecisions[scope.access]
        const held = earned === 'hold_for_approval'
        return { ...scope, variant: held ? ('allow' as const) : earned, needsApproval: held || scope.needsApproval }
      }),
    ),
    branchPrefix: fc.constantFrom('fix/', 'f'),
    allowedPaths: fc.array(fc.oneof(patterns, fc.constantFrom('**', '**', 'a/**')), { minLength: 1, maxLength: 4 }),
    forbiddenPaths: fc.array(patterns, { maxLength: 2 }),
    maxChangedFiles: fc.constantFrom(1, 2, 3),
    maxDiffLines: fc.constantFrom(5, 10),
    phases: fc.oneof({ weight: 4, arbitrary: fc.constant([...gatePhases]) }, some(gatePhases)).chain((chosen) =>
      fc.tuple(
        ...chosen.map((phase) =>
          fc.record({
            phase: fc.constant(phase),
            evidence: fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, fc.subarray(records)),
          }),
        ),
      ),
    ),
    place: fc.constant(place),
  })

const literal = (text: string) => ({ kind: /[*?]/.test(text) ? ('glob' as const) : ('literal' as const), text })

const bindings: fc.Arbitrary<ToolBinding> = fc
  .record(
    {
      key: fc.constantFrom('push', 'p*', '*'),
      namespace: fc.constantFrom(...namespaces),
      access: fc.constantFrom(...accessModes),
      branch: fc.constant(['branch']),
      paths: fc.constantFrom([], [['files', 'path']]),
      content: fc.constantFrom([], [['files', 'text']]),
      place: fc.constant(place),
    },
    { requiredKeys: ['key', 'namespace', 'access', 'paths', 'content', 'place'] },
  )
  .map((binding) => ({ ...binding, match: [{ name: literal(binding.key) }] }))

export const packs: fc.Arbitrary<PackPolicy> = fc
  .record(
    {
      strategy: fc.constant('pack' as const),
      language: fc.constant('pack' as const),
      id: fc.constant('pack'),
      version: fc.constant('1'),
      sha256: fc.constant('0'.repeat(64)),
      manifestSha256: fc.constant('0'.repeat(64)),
      statuses: fc.constantFrom(['active'] as const, ['active', 'pilot'] as const),
      stages: fc.oneof({ weight: 12, arbitrary: fc.constant(stages) }, fc.subarray([...stages])),
      manualReview: fc.subarray(classes),
      routineChanges: fc.subarray(['documentation', 'Tests & fixtures']),
      claims: fc.constantFrom<NonNullable<PackPolicy['claims']>>(
        { workflow_id: ['run', 'workflow'] },
        { agent_id: ['sub'], agent_class: ['class'] },
        { maturity_stage: ['stage'], run_id: ['jti'] },
      ),
      workflows: fc.tuple(workflow('one'), workflow('two')),
      tools: fc.array(bindings, { minLength: 1, maxLength: 3 }),
    },
    {
      requiredKeys: [
        'strategy',
        'language',
        'id',
        'version',
        'sha256',
        'manifestSha256',
        'statuses',
        'stages',
        'manualReview',
        'workflows',
      ],
    },
  )
  .chain((pack) =>
    fc.record({ tools: fc.nat(3), claims: fc.nat(6), routine: fc.nat(2) }).map((dice) => {
      const { tools, claims, routineChanges, ...rest } = pack
      return {
        ...rest,
        ...(tools && dice.tools === 0 && { tools }),
        ...(claims && dice.claims === 0 && { claims }),
        ...(routineChanges && dice.routine === 0 && { routineChanges }),
      }
    }),
  )

const odd: fc.Arbitrary<Json> = fc.constantFrom(
  null,
  '',
  7,
  true,
  [],
  {},
  ['x'],
  ' x',
  'x\n',
  'x'.repeat(600),
  'unheard of',
)

/** Mostly one of these; sometimes what is no answer at all. */
const mostly = <T extends Json>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<Json> =>
  fc.oneof({ weight: 150, arbitrary: arbitrary as fc.Arbitrary<Json> }, odd)

/** For what is seldom there at all. */
const often = <T extends Json>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<Json> =>
  fc.oneof({ weight: 4, arbitrary: arbitrary as fc.Arbitrary<Json> }, odd)

const instant = fc.constantFrom('2026-01-05T11:00:00Z', '2026-01-05T12:00:00.000Z', '2026-01-05T13:00:00+00:30', 'noon')

const approvals: fc.Arbitrary<Json> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record(
      {
        status: fc.oneof(
          { weight: 8, arbitrary: fc.constantFrom('approved', 'Approved', 'allow') },
          fc.constantFrom('pending', 'denied', 'yes', true),
        ),
        decision: fc.constantFrom('approved', 'denied'),
        approver: fc.oneof({ weight: 6, arbitrary: fc.constant('alice') }, fc.constantFrom('codex', '', 7)),
        approved_at: fc.oneof({ weight: 4, arbitrary: fc.constant('2026-01-05T11:00:00Z') }, instant),
        expires_at: fc.oneof({ weight: 4, arbitrary: fc.constant('2026-01-05T13:00:00Z') }, instant),
        scope: fc.oneof(
          {
            weight: 4,
            arbitrary: fc.constantFrom('one', 'repo', 'tickets', 'two:repo', 'documentation', { run_id: 'r1' }),
          },
          fc.constantFrom('', [], {}, { other: 'x' }, ['one', 'two']),
        ),
      },
      { requiredKeys: ['status', 'approver', 'approved_at', 'expires_at', 'scope'] },
    ) as fc.Arbitrary<Json>,
  },
  fc.constantFrom<Json>(true, 'approved', 'please go on', 7, [], { status: 'approved' }),
)

const runs = fc.record(
  {
    workflow_id: mostly(
      fc.oneof({ weight: 40, arbitrary: fc.constantFrom('one', 'two') }, fc.constant('neither of them')),
    ),
    agent_id: mostly(fc.constantFrom('codex', 'x::claude', 'github-copilot/7', 'codex-12')),
    run_id: mostly(fc.constant('r1')),
    tool_namespace: mostly(fc.constantFrom(...namespaces)),
    tool_access_mode: mostly(
      fc.oneof({ weight: 4, arbitrary: fc.constant('write_branch') }, fc.constantFrom(...accessModes)),
    ),
    gate_phase: mostly(fc.constantFrom(...gatePhases)),
    branch_name: mostly(fc.constantFrom('fix/1', 'fix/2', 'fix/3', 'f', 'fix/', 'main')),
    changed_paths: mostly(fc.array(paths, { minLength: 1, maxLength: 3 })),
    diff_line_count: mostly(
      fc.oneof({ weight: 20, arbitrary: fc.constantFrom<Json>(0, 5, 6, 10, 11) }, fc.constantFrom<Json>(-1, 0.5, '5')),
    ),
    human_approval_record: approvals,
    agent_class: often(fc.constantFrom('codex', 'Claude')),
    change_class: often(
      fc.constantFrom<Json>(
        'Database-Migrations',
        'ci & deploy',
        ['documentation'],
        'Documentation',
        ['tests-fixtures'],
        [],
      ),
    ),
    maturity_stage: often(fc.constantFrom(...stages)),
    evidence_records: often(fc.subarray(records).map((ids) => ids.map((id) => ({ id, uri: 'https://e.example' })))),
    runtime_kill_signal: fc.constantFrom<Json>(null, '', false, [], [], '', 'scope creep', true, 0),
    Workflow_ID: fc.constant('one'),
    note: fc.constant('not looked at'),
  },
  { requiredKeys: ['workflow_id', 'agent_id', 'run_id', 'tool_namespace', 'tool_access_mode', 'gate_phase'] },
)

/** Each optional attribute is there only now and then: else some stop would hide all behind it. */
const thinned = fc.tuple(runs, fc.array(fc.nat(9), { minLength: 20, maxLength: 20 })).map(([run, dice]) => {
  const rare = [
    'agent_class',
    'runtime_kill_signal',
    'Workflow_ID',
    'maturity_stage',
    'change_class',
    'evidence_records',
  ]
  return Object.fromEntries(
    Object.entries(run).filter(
      ([key], index) => !rare.includes(key) || (dice[index % 20] as number) < (key === 'evidence_records' ? 6 : 1),
    ),
  )
})

const args: fc.Arbitrary<{ readonly [key: string]: Json }> = fc.record(
  {
    branch: fc.constantFrom<Json>('fix/1', 'main', 7),
    files: fc.array(
      fc.record(
        { path: paths as fc.Arbitrary<Json>, text: fc.constantFrom<Json>('a\nb', '', 1) },
        { requiredKeys: ['path'] },
      ),
      { maxLength: 3 },
    ) as fc.Arbitrary<Json>,
  },
  { requiredKeys: [] },
)

export const packCalls: fc.Arbitrary<Call> = fc
  .record({
    method: fc.oneof(
      { weight: 40, arbitrary: fc.constant('tools/call' as const) },
      fc.constantFrom('resources/read' as const, 'prompts/get' as const),
    ),
    server: fc.constantFrom('git', ''),
    name: fc.constantFrom('push', 'pull', 'other'),
    arguments: args,
    principal: fc.oneof(
      { weight: 2, arbitrary: fc.constant({}) },
      fc
        .record(
          {
            sub: mostly(fc.constantFrom('codex', 'x::claude')),
            class: mostly(fc.constantFrom('codex', 'claude')),
            jti: mostly(fc.constant('r1')),
            stage: mostly(fc.constantFrom(...stages)),
            run: mostly(fc.constantFrom<Json>({ workflow: 'one' }, { workflow: 'two' }, { workflow: null }, {})),
          },
          { requiredKeys: [] },
        )
        .map((claims) => ({ claims })),
    ) as fc.Arbitrary<Call['principal']>,
    session: fc.constant('s'),
    run: thinned as fc.Arbitrary<Record<string, Json>>,
  })
  .chain((call) =>
    fc.nat(30).map((n) => {
      if (n > 0) return call
      const { run: _, ...rest } = call
      return rest
    }),
  )

/** A pack that allows nothing yet. */
export const emptyPack: PackPolicy = {
  strategy: 'pack',
  language: 'pack',
  id: 'pack',
  version: '1',
  sha256: '0'.repeat(64),
  manifestSha256: '0'.repeat(64),
  statuses: ['active'],
  stages,
  manualReview: [],
  workflows: [],
}
