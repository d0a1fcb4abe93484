/** The manifests of deploy/kubernetes, applied as they lie there but for the names of images, which are built and brought in. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Answer } from '../answer.ts'
import { apply, done, found, kubectl, loader, ran } from './cluster.ts'

const file = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const textOf = (path: string) => readFileSync(file(path), 'utf8')

const tollgate = 'tollgate:kube-test'
const server = 'tollgate-server:kube-test'
const agent = 'tollgate-agent:kube-test'

/** By their names in the manifests. */
const images = { 'tollgate:0.1.0': tollgate, 'mcp-server-everything:1': server, 'agent:1': agent } as const

const own = 'tollgate-kube-test'

/** What a test makes in the cluster: namespaces that were not there before, and a volume for one claim. */
export class Deployment implements Disposable {
  readonly #namespaces: readonly string[]

  private constructor(namespaces: readonly string[]) {
    this.#namespaces = namespaces
  }

  static start(namespaces: readonly string[], claim: Claim): Deployment {
    for (const name of [...namespaces, own])
      assert.notEqual(ran('kubectl', ['get', 'namespace', name]).code, 0, `a namespace \`${name}\` is there already`)
    build()
    using stack = new DisposableStack()
    const deployment = stack.use(new Deployment(namespaces))
    makeVolume(claim)
    stack.move()
    return deployment
  }

  /** In the namespaces that it names, or in this one, where it names none. */
  apply(name: string, namespace?: string): void {
    let text = textOf(`../../deploy/kubernetes/${name}`)
    for (const [there, ours] of Object.entries(images)) text = text.replaceAll(`image: ${there}\n`, `image: ${ours}\n`)
    done('kubectl', ['apply', ...(namespace === undefined ? [] : ['-n', namespace]), '-f', '-'], text)
  }

  [Symbol.dispose](): void {
    const remove = (...args: readonly string[]) => ran('kubectl', ['delete', ...args, '--ignore-not-found'])
    remove('namespace', ...this.#namespaces, '--timeout=120s')
    remove('persistentvolume', own, '--timeout=60s')
    ran('kubectl', ['exec', '-n', own, 'folder', '--', 'rm', '-rf', `/node/${own}`])
    remove('namespace', own, '--timeout=120s')
  }
}

interface Claim {
  readonly namespace: string
  readonly name: string
}

let isBuilt = false

function build(): void {
  if (isBuilt) return
  done('make', ['image', `IMAGE=${tollgate}`])
  const { devDependencies } = JSON.parse(textOf('../../package.json'))
  const everything = devDependencies['@modelcontextprotocol/server-everything'].replace('^', '')
  const args = ['--build-arg', `TOLLGATE=${tollgate}`, '--build-arg', `EVERYTHING=${everything}`]
  for (const [target, image] of Object.entries({ server, agent }))
    done('docker', ['build', ...args, '--target', target, '--tag', image, file('fixtures')])
  const [command = '', ...words] = loader
  done(command, [...words, ...Object.values(images)])
  isBuilt = true
}

/** Where the cluster makes no volumes by itself, a folder of its node: `fsGroup` does not change whose such a folder is. */
function makeVolume(claimRef: Claim): void {
  kubectl('create', 'namespace', own)
  const { items } = found('storageclasses')
  const isDefault = ({ metadata }: Answer) =>
    metadata.annotations?.['storageclass.kubernetes.io/is-default-class'] === 'true'
  if (items.some(isDefault)) return
  const folder = `/node/${own}`
  const container = {
    name: 'folder',
    image: tollgate,
    command: [
      'sh',
      '-c',
      `rm -rf ${folder}; install -d -o 65532 -g 65532 -m 700 ${folder} && touch /ready && sleep 86400`,
    ],
    readinessProbe: { exec: { command: ['test', '-e', '/ready'] }, periodSeconds: 1 },
    securityContext: { runAsUser: 0 },
    volumeMounts: [{ name: 'node', mountPath: '/node' }],
  }
  const volumes = [{ name: 'node', hostPath: { path: '/var/tmp' } }]
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'folder', namespace: own },
    spec: { terminationGracePeriodSeconds: 0, containers: [container], volumes },
  }
  apply(JSON.stringify(pod))
  kubectl('wait', '-n', own, '--for=condition=Ready', 'pod/folder', '--timeout=60s')
  const volume = {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: own },
    spec: {
      capacity: { storage: '1Gi' },
      accessModes: ['ReadWriteOnce'],
      claimRef,
      hostPath: { path: `/var/tmp/${own}`, type: 'Directory' },
    },
  }
  apply(JSON.stringify(volume))
}
