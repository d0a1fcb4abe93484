/**
 * A bundle in a real OCI registry (the one of the CNCF, `distribution`): pushed as ORAS pushes one, pulled by the gate and by a
 * real `opa`. `make registry-test` builds both and runs it. Needs Go, so it is no part of `make test`.
 */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { buildPolicy } from '../../src/bundle/build.ts'
import { bundleFiles } from '../../src/bundle/bundled.ts'
import { openBundle } from '../../src/bundle/open.ts'
import { BundleServer } from '../../src/distribution/bundleServer.ts'
import { type ImagePlace, placeIn } from '../../src/distribution/places.ts'
import { Registry } from '../../src/distribution/registry.ts'
import type { Answer } from '../answer.ts'
import { digestOf, layerOf, manifestOf, manifestType } from '../distribution/registry.ts'
import { newPair, signedBytes, trusting } from '../opa/signer.ts'
import { reached } from '../until.ts'

const built = (name: string) => fileURLToPath(new URL(`../../.cache/${name}`, import.meta.url))
const registry = process.env['TOLLGATE_REGISTRY'] ?? built('registry/registry')
const opa = process.env['TOLLGATE_OPA'] ?? built('opa/opa')
const folder = mkdtempSync(join(tmpdir(), 'tollgate-registry-'))
const pair = newPair('RS256', 'release')
const tool = 'pay'
let bytes: Uint8Array
let host = ''
const children: ChildProcess[] = []

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

function started(command: string, args: readonly string[]): ChildProcess {
  const child = spawn(command, args, {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { OTEL_TRACES_EXPORTER: 'none' },
  })
  children.push(child)
  return child
}

async function answered(url: string, isAnswer: (response: Response) => boolean | Promise<boolean>): Promise<Response> {
  for (const deadline = Date.now() + 30_000; Date.now() < deadline; await sleep(100)) {
    const response = await reached(url)
    if (response && (await isAnswer(response.clone()))) return response
  }
  return assert.fail(`${url} gave no answer`)
}

before(async () => {
  const text = `version: "1"\ndefault: deny\ntools: { ${tool}: { rules: [{ rate_limit: 3/day }] } }\n`
  const files = bundleFiles(await buildPolicy({ name: 'policy.yaml', text }), { version: '0.1.0', revision: 'r1' })
  bytes = await signedBytes(files, pair, { issuedAt: Math.floor(Date.now() / 1000) - 60 })
  host = `127.0.0.1:${await freePort()}`
  const config = `version: 0.1\nlog: { level: error }\nstorage: { filesystem: { rootdirectory: ${folder}/images } }\nhttp: { addr: "${host}" }\n`
  writeFileSync(join(folder, 'registry.yaml'), config)
  started(registry, ['serve', 'registry.yaml'])
  await answered(`http://${host}/v2/`, ({ status }) => status === 200)
  await push('1.4')
})
after(async () => {
  for (const child of children) {
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
  }
  rmSync(folder, { recursive: true })
})

async function pushBlob(blob: Uint8Array): Promise<void> {
  const opened = await fetch(`http://${host}/v2/team/policy/blobs/uploads/`, { method: 'POST' })
  const place = new URL(opened.headers.get('location') ?? '', `http://${host}`)
  place.searchParams.set('digest', digestOf(blob))
  const headers = { 'content-type': 'application/octet-stream' }
  assert.equal((await fetch(place, { method: 'PUT', headers, body: Buffer.from(blob) })).status, 201)
}

async function push(tag: string): Promise<void> {
  await pushBlob(bytes)
  await pushBlob(Buffer.from('{}'))
  const manifest = await fetch(`http://${host}/v2/team/policy/manifests/${tag}`, {
    method: 'PUT',
    headers: { 'content-type': manifestType },
    body: manifestOf([layerOf(bytes)]),
  })
  assert.equal(manifest.status, 201)
}

const pull = (reference: string, etag?: string) =>
  new Registry(placeIn(`oci://${host}/team/policy${reference}`) as ImagePlace, {}).ask({
    etag,
    waitMs: 0,
    signal: new AbortController().signal,
  })

test('the gate pulls what was pushed, by its tag and by its digest, and believes it', async () => {
  const found = await pull(':1.4')
  assert.deepEqual(found.kind === 'found' && Buffer.from(found.bytes), Buffer.from(bytes))
  assert.equal((await pull(':1.4', digestOf(bytes))).kind, 'same')
  assert.equal((await pull(`@${digestOf(manifestOf([layerOf(bytes)]))}`)).kind, 'found')
  await assert.rejects(pull(':none'), { code: 'bundle_status_wrong', httpCode: 404 })
  const opened = await openBundle(found.kind === 'found' ? found.bytes : bytes, trusting(pair), { now: Date.now() })
  assert.equal(opened.revision, 'r1')
})

test('a real `opa` pulls the same image, verifies it, and decides by it', {
  skip: !opa && 'no $TOLLGATE_OPA',
}, async () => {
  writeFileSync(join(folder, 'release.pem'), pair.public)
  const port = await freePort()
  const config = {
    services: { images: { url: `http://${host}`, type: 'oci' } },
    bundles: {
      team: {
        service: 'images',
        resource: `${host}/team/policy:1.4`,
        signing: { keyid: 'release' },
        polling: { min_delay_seconds: 1, max_delay_seconds: 2 },
      },
    },
    keys: { release: { key: pair.public, algorithm: 'RS256' } },
    persistence_directory: join(folder, 'opa'),
  }
  writeFileSync(join(folder, 'opa.json'), JSON.stringify(config))
  started(opa, ['run', '--server', '--addr', `127.0.0.1:${port}`, '--config-file', 'opa.json', '--log-level', 'error'])
  const answer = await answered(`http://127.0.0.1:${port}/v1/data/tollgate`, async (response) =>
    Object.hasOwn((await response.json()) as object, 'result'),
  )
  const { result } = (await answer.json()) as { result: { tools?: object } }
  assert.ok(Object.hasOwn(result.tools ?? {}, tool), JSON.stringify(result).slice(0, 500))
})

test('a real `opa` takes its bundle from our own server as well, and tells it how it stands', async () => {
  writeFileSync(join(folder, 'org.tar.gz'), bytes)
  const heard: Answer[] = []
  const server = new BundleServer({
    folder,
    token: () => 's3cret',
    heard: (status) => heard.push(status),
    log: assert.fail,
  })
  const url = `http://127.0.0.1:${await server.listen('127.0.0.1', 0)}`
  try {
    const port = await freePort()
    const config = {
      services: { ours: { url, credentials: { bearer: { token: 's3cret' } } } },
      bundles: {
        org: {
          service: 'ours',
          resource: 'bundles/org',
          signing: { keyid: 'release' },
          polling: { min_delay_seconds: 60, max_delay_seconds: 120, long_polling_timeout_seconds: 30 },
        },
      },
      status: { service: 'ours' },
      keys: { release: { key: pair.public, algorithm: 'RS256' } },
    }
    writeFileSync(join(folder, 'ours.json'), JSON.stringify(config))
    started(opa, [
      'run',
      '--server',
      '--addr',
      `127.0.0.1:${port}`,
      '--config-file',
      'ours.json',
      '--log-level',
      'error',
    ])
    const active = () => heard.findLast(({ bundles }) => bundles?.org)?.bundles.org
    const until = async (revision: string) => {
      for (const deadline = Date.now() + 30_000; Date.now() < deadline; await sleep(100))
        if (active()?.active_revision === revision) return
      assert.fail(`${revision} is not active: ${JSON.stringify(heard.at(-1))}`)
    }
    await until('r1')
    const text = 'version: "1"\ndefault: deny\ntools: { refund: {} }\n'
    const next = bundleFiles(await buildPolicy({ name: 'policy.yaml', text }), { version: '0.1.0', revision: 'r2' })
    writeFileSync(
      join(folder, 'next'),
      await signedBytes(next, pair, { issuedAt: Math.floor(Date.now() / 1000), sequence: 8 }),
    )
    renameSync(join(folder, 'next'), join(folder, 'org.tar.gz'))
    await until('r2')
  } finally {
    children.pop()?.kill('SIGKILL')
    await server.close()
  }
})
