/**
 * The manifests of deploy/kubernetes in a real cluster: agents show tokens of their service accounts, the policy comes from a
 * ConfigMap, the ledger outlives the pod. `make kube-test` runs it; what it needs is said by `missing`, and nothing of it is
 * a part of `make test`.
 */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { remoteKeys } from '../../src/identity/jwks.ts'
import type { Answer } from '../answer.ts'
import { Folder } from '../identity/fixtures/serving.ts'
import { until } from '../until.ts'
import { found, kubectl, kubectlMeanwhile, missing, ran, watched } from './cluster.ts'
import { Deployment } from './deployment.ts'

const inGate = (...command: readonly string[]) =>
  kubectl('exec', '-n', 'mcp', 'tollgate-0', '-c', 'tollgate', '--', ...command)
const logOfGate = () => kubectl('logs', '-n', 'mcp', 'tollgate-0', '-c', 'tollgate')
const untilReady = () =>
  until(
    () => ran('kubectl', ['wait', '-n', 'mcp', '--for=condition=Ready', 'pod/tollgate-0', '--timeout=2s']).code === 0,
    'a gate that is ready',
  )

/** What the gate recorded last of a kind. */
function recorded(...options: readonly string[]): Answer {
  return JSON.parse(inGate('tollgate', 'audit', '--format', 'json', '--limit', '1', ...options))[0]
}

interface Wish {
  readonly token?: string
  readonly tokenFile?: string
  readonly tool?: string
  readonly arguments?: object
}

const agentSays = (wish: Wish): readonly string[] => [
  'exec',
  '-n',
  'agents',
  'agent',
  '--',
  'node',
  '/agent/agent.mjs',
  JSON.stringify(wish),
]

function agent(wish: Wish): Answer {
  return JSON.parse(kubectl(...agentSays(wish)))
}

const echo = (message: string) => agent({ tool: 'echo', arguments: { message } })

/** A token as the API server signs it, of an account in the namespace of agents. */
const tokenOf = (account: string, audience: string) =>
  kubectl('create', 'token', account, '-n', 'agents', '--audience', audience).trim()

describe('the gate in a cluster', { skip: missing() }, () => {
  let deployment: Deployment | undefined

  before(async () => {
    deployment = Deployment.start(['mcp', 'agents'], { namespace: 'mcp', name: 'state-tollgate-0' })
    for (const name of ['gate.yaml', 'agent.yaml']) deployment.apply(name)
    kubectl('wait', '-n', 'agents', '--for=condition=Ready', 'pod/agent', '--timeout=60s')
    kubectl('create', 'serviceaccount', 'intern', '-n', 'agents')
    await untilReady()
  })

  after(() => deployment?.[Symbol.dispose]())

  test('the account whose token the cluster projects is the caller of the record', () => {
    assert.deepEqual(echo('first'), {
      tools: ['echo', 'trigger-long-running-operation'],
      isError: false,
      text: 'Echo: first',
    })
    const { principal, policy_user, policy_project_id, decision } = recorded()
    assert.deepEqual([decision, policy_user, policy_project_id], ['allow', null, 'agents'])
    assert.deepEqual(principal, {
      agent: 'agents/agent',
      project: 'agents',
      groups: ['system:serviceaccounts', 'system:serviceaccounts:agents'],
    })
    // Another token of the same account is the same caller.
    const again = agent({ token: tokenOf('agent', 'tollgate'), tool: 'echo', arguments: { message: 'second' } })
    assert.equal(again.text, 'Echo: second')
    assert.deepEqual(recorded().principal, principal)
  })

  test('another account of the namespace is known, and is not the one that the policy means', () => {
    const { tools, error } = agent({ token: tokenOf('intern', 'tollgate'), tool: 'echo', arguments: { message: 'no' } })
    assert.deepEqual(tools, ['trigger-long-running-operation'])
    assert.match(error, /Unknown tool: echo/)
    const { principal, reason_code } = recorded()
    assert.deepEqual([principal.agent, reason_code], ['agents/intern', 'TOOL_NOT_ALLOWED'])
  })

  test('without a token, with one for another audience, or one that was changed, nobody is let in', () => {
    const before = recorded('--all').seq
    const own = tokenOf('agent', 'tollgate')
    const [head, claims, signature = ''] = own.split('.')
    const other = `${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`
    for (const [wish, says] of [
      [{ token: '' }, /nobody knows who calls: send a token/],
      [{ tokenFile: '/var/run/secrets/kubernetes.io/serviceaccount/token' }, /the token is for another audience/],
      [{ token: tokenOf('agent', 'another') }, /the token is for another audience/],
      [{ token: `${head}.${claims}.${other}` }, /the signature of the token is wrong/],
    ] as const) {
      const refused = agent(wish)
      assert.equal(refused.status, 401)
      assert.match(refused.says, says)
      assert.match(refused.challenge, /^Bearer /)
    }
    assert.equal(recorded('--all').seq, before, 'who is not let in makes no call')
  })

  test('the keys are at the API server, for who knows its authority and shows a token of any account', async (t) => {
    using folder = new Folder()
    const { cluster } = JSON.parse(kubectl('config', 'view', '--raw', '--minify', '--flatten', '-o', 'json'))
      .clusters[0]
    const ca = folder.write('ca.crt', Buffer.from(cluster['certificate-authority-data'], 'base64').toString())
    const token = folder.write('token', kubectl('create', 'token', 'tollgate', '-n', 'mcp'))
    const url = new URL('/openid/v1/jwks', cluster.server)
    const load = remoteKeys({ url, caFile: ca, tokenFile: token })
    const { keys } = await load()
    const [head = ''] = tokenOf('agent', 'tollgate').split('.')
    const { kid } = JSON.parse(Buffer.from(head, 'base64url').toString())
    assert.ok(keys.some((key) => key.kid === kid))
    await assert.rejects(remoteKeys({ url, tokenFile: token }), /certificate/)
    await assert.rejects(remoteKeys({ url, caFile: ca }), /answered with status 40[13]/)
    writeFileSync(token, tokenOf('agent', 'tollgate'))
    await assert.rejects(load, /answered with status 401/, 'a token for the gate is none for the API server')
    const role = ['--clusterrole=system:service-account-issuer-discovery', '--group=system:unauthenticated']
    kubectl('create', 'clusterrolebinding', 'tollgate-kube-test', ...role)
    t.after(() => kubectl('delete', 'clusterrolebinding', 'tollgate-kube-test'))
    const anonymous = remoteKeys({ url, caFile: ca })
    await until(
      () =>
        anonymous().then(
          ({ keys }) => keys.length > 0,
          () => false,
        ),
      'keys for everybody',
    )
  })

  test('nothing in it is root, may write outside of its volume, or has a capability', () => {
    const script =
      'id -u; touch /opt/x /etc/tollgate/policy/x /tmp/x 2>/dev/null || echo kept; grep -E "^(CapEff|CapBnd|NoNewPrivs|Seccomp):" /proc/1/status'
    const none = '0000000000000000'
    assert.deepEqual(inGate('sh', '-c', script).trim().split(/\s*\n/), [
      '65532',
      'kept',
      `CapEff:\t${none}`,
      `CapBnd:\t${none}`,
      'NoNewPrivs:\t1',
      'Seccomp:\t2',
    ])
  })

  test('an edited ConfigMap becomes the policy, a mistake in it does not, and without one the pod is not ready', async () => {
    const edit = (data: Readonly<Record<string, string>> | null) => {
      kubectl('patch', 'configmap', 'tollgate-policy', '-n', 'mcp', '--type=merge', '-p', JSON.stringify({ data }))
      // The kubelet looks at its volumes within a minute, and at once when something of the pod changes.
      kubectl('annotate', 'pod', 'tollgate-0', '-n', 'mcp', '--overwrite', `edited=${Date.now()}`)
    }
    const isReady = () => found('endpoints', 'tollgate', '-n', 'mcp').subsets?.[0]?.addresses !== undefined
    const text = found('configmap', 'tollgate-policy', '-n', 'mcp').data['policy.yaml']
    edit({ 'policy.yaml': `${text}  get-sum: {}\n` })
    await until(
      () =>
        recorded('--kind', 'activation').seq > 1 && /policy\.yaml` changed: revision \w+ is active/.test(logOfGate()),
      'the edit',
    )
    assert.equal(agent({ tool: 'get-sum', arguments: { a: 1, b: 2 } }).text, 'The sum of 1 and 2 is 3.')
    edit({ 'policy.yaml': `${text}  get-sum: { rulez: [] }\n` })
    await until(() => /unknown key `rulez`/.test(logOfGate()), 'the mistake')
    assert.equal(agent({ tool: 'get-sum', arguments: { a: 2, b: 2 } }).text, 'The sum of 2 and 2 is 4.')
    edit(null)
    await until(() => !isReady(), 'a gate that is not ready')
    edit({ 'policy.yaml': text })
    await until(isReady, 'a gate that is ready again')
    assert.match(agent({ tool: 'get-sum', arguments: { a: 3, b: 2 } }).error, /Unknown tool/)
  })

  test('a pod that is deleted finishes its call and ends with 0; the next one knows what was spent', async (t) => {
    const spent = recorded('--tool', 'echo', '--decision', 'allow').seq
    const exitCode = 'jsonpath={.status.containerStatuses[0].state.terminated.exitCode}{"\\n"}'
    const exits = watched('get', 'pod', 'tollgate-0', '-n', 'mcp', '--watch', '-o', exitCode)
    t.after(exits.stop)
    const tool = 'trigger-long-running-operation'
    const answer = kubectlMeanwhile(...agentSays({ tool, arguments: { duration: 6, steps: 1 } })).then((text) => ({
      at: Date.now(),
      text,
    }))
    await until(
      () =>
        ran('kubectl', [
          'exec',
          '-n',
          'mcp',
          'tollgate-0',
          '-c',
          'tollgate',
          '--',
          'tollgate',
          'audit',
          '--format',
          'json',
          '--tool',
          tool,
        ]).stdout.includes(tool),
      'the call',
    )
    const deletedAt = Date.now()
    await kubectlMeanwhile('delete', 'pod', 'tollgate-0', '-n', 'mcp', '--timeout=60s')
    const tookMs = Date.now() - deletedAt
    t.diagnostic(`the pod was gone after ${tookMs} ms`)
    assert.ok(tookMs < 25_000, `it took ${tookMs} ms`)
    const { at, text } = await answer
    assert.ok(at > deletedAt, 'the call was under way when the pod was deleted')
    assert.match(text, /Long running operation completed/)
    assert.deepEqual([...new Set(exits.lines.filter((line) => line !== ''))], ['0'], 'how the gate ended')
    await untilReady()
    assert.match(inGate('tollgate', 'audit', 'verify'), /records +\d+ records, 1 to \d+: proved/)
    assert.equal(recorded('--tool', 'echo', '--decision', 'allow').seq, spent)
    assert.equal(recorded('--tool', tool).result_status, 'success')
    const left = ['third', 'fourth', 'fifth', 'sixth'].map((message) => echo(message).isError)
    assert.deepEqual(left, [false, false, false, true], 'two of five were spent before')
  })
})
