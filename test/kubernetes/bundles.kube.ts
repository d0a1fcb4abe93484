/**
 * A sidecar of an agent that takes its policy from a bundle service, as bundles.yaml of deploy/kubernetes has it: with a real
 * signature, over TLS, the next bundle by an edit of the ConfigMap that the service has, and the last good one without it.
 */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import type { Answer } from '../answer.ts'
import { Authority } from '../identity/fixtures/certificates.ts'
import { Folder } from '../identity/fixtures/serving.ts'
import { until } from '../until.ts'
import { done, found, kubectl, missing, ran } from './cluster.ts'
import { Deployment } from './deployment.ts'

const namespace = 'tollgate-kube-bundles'
const inNamespace = (...args: readonly string[]) => kubectl('-n', namespace, ...args)

function agent(tool: string, args: object = {}): Answer {
  const wish = JSON.stringify({ token: '', tool, arguments: args })
  return JSON.parse(inNamespace('exec', 'agent-0', '-c', 'agent', '--', 'node', '/agent/agent.mjs', wish))
}

const echo = () => agent('echo', { message: 'm' })
const logOf = (pod: string) => inNamespace('logs', pod, '--all-containers', '--tail=-1')

describe('a sidecar with a bundle service in a cluster', { skip: missing() }, () => {
  let folder: Folder
  let deployment: Deployment | undefined
  let sequence = 0

  /** A bundle that allows these tools. */
  function bundle(...tools: readonly string[]): string {
    const entries = tools.map((tool) => `  ${tool}: { rules: [{ rate_limit: 3/day }] }\n`)
    folder.write('policy.yaml', `version: "1"\ndefault: deny\ntools:\n${entries.join('')}`)
    const signed = ['--sign-key', 'release.key', '--key-id', 'release', '--sequence', String(++sequence)]
    const { status, stderr } = folder.tollgate('build', '-o', 'org.tar.gz', ...signed, 'policy.yaml')
    assert.equal(status, 0, stderr)
    return `${folder.path}/org.tar.gz`
  }

  before(() => {
    folder = new Folder()
    deployment = Deployment.start([namespace], { namespace, name: 'state-agent-0' })
    const { privateKey, publicKey } = generateKeyPairSync('ed25519')
    folder.write('release.key', privateKey.export({ format: 'pem', type: 'pkcs8' }) as string)
    const release = folder.write('release.pub', publicKey.export({ format: 'pem', type: 'spki' }) as string)
    const authority = new Authority()
    const { cert, key } = authority.issue({ subject: [['CN', 'bundles']], alternatives: [['dns', 'bundles']] })
    const tls = ['--cert', folder.write('tls.crt', cert), '--key', folder.write('tls.key', key)]
    const file = (name: string, text: string) => `--from-file=${folder.write(name, text)}`
    kubectl('create', 'namespace', namespace)
    kubectl('label', 'namespace', namespace, 'pod-security.kubernetes.io/enforce=restricted')
    inNamespace('create', 'configmap', 'bundles', `--from-file=${bundle('echo')}`)
    inNamespace('create', 'configmap', 'bundle-keys', `--from-file=${release}`)
    inNamespace('create', 'configmap', 'bundles-ca', file('ca.crt', authority.cert))
    inNamespace('create', 'secret', 'generic', 'bundles-token', file('token', 'of-the-bundles'))
    inNamespace('create', 'secret', 'tls', 'bundles-tls', ...tls)
    deployment.apply('bundles.yaml', namespace)
    inNamespace('wait', '--for=condition=Available', 'deployment/bundles', '--timeout=60s')
    inNamespace('rollout', 'status', 'statefulset/agent', '--timeout=90s')
  })

  after(() => {
    deployment?.[Symbol.dispose]()
    folder[Symbol.dispose]()
  })

  test('the agent finds its gate ready, which decides by the bundle and says so to the service', () => {
    assert.deepEqual(echo(), { tools: ['echo'], isError: false, text: 'Echo: m' })
    assert.match(logOf('deployment/bundles'), /"sequence":1,.*"plugins":\{"bundle":\{"state":"OK"\}\}/)
  })

  test('the next bundle of the service decides', async () => {
    const next = inNamespace(
      'create',
      'configmap',
      'bundles',
      `--from-file=${bundle('echo', 'get-sum')}`,
      '--dry-run=client',
      '-o',
      'json',
    )
    done('kubectl', ['apply', '-n', namespace, '-f', '-'], next)
    const [pod] = found('pods', '-n', namespace, '-l', 'app=bundles').items
    inNamespace('annotate', 'pod', pod.metadata.name, `edited=${Date.now()}`)
    await until(() => /sequence 2/.test(logOf('agent-0')), 'the next bundle')
    assert.equal(agent('get-sum', { a: 1, b: 2 }).text, 'The sum of 1 and 2 is 3.')
  })

  test('without the service a new pod starts with the bundle on its volume, and knows what was spent', async () => {
    inNamespace('scale', 'deployment/bundles', '--replicas=0')
    inNamespace('delete', 'pod', 'agent-0', '--timeout=60s')
    const isReady = () =>
      ran('kubectl', ['wait', '-n', namespace, '--for=condition=Ready', 'pod/agent-0', '--timeout=2s']).code === 0
    await until(isReady, 'an agent that is ready')
    assert.deepEqual(
      [echo(), echo(), echo()].map(({ isError }) => isError),
      [false, false, true],
      'one of three was spent',
    )
    assert.match(logOf('agent-0'), /sequence 2/)
  })
})
