/** Files of keys that break while a gate runs: what they said counts for a bounded time, and whoever watches is told. */
import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, rmdirSync, rmSync } from 'node:fs'
import { after, before, beforeEach, describe, test } from 'node:test'
import { newKey } from '../../src/admission/approvers.ts'
import { followTls } from '../../src/cli/serveTls.ts'
import { apiKeysOf, digestOf, newApiKey } from '../../src/identity/apiKeys.ts'
import { FollowedFiles, follow } from '../../src/identity/followed.ts'
import { keysOfFile } from '../../src/identity/keySet.ts'
import { followedStaleMsMax } from '../../src/identity/limits.ts'
import { credentialOf } from '../../src/identity/upstream.ts'
import type { Answer } from '../answer.ts'
import { Authority } from './fixtures/certificates.ts'
import { Issuer } from './fixtures/issuer.ts'
import { bearer, Folder, recordingServer, Serving } from './fixtures/serving.ts'

const folder = new Folder()
after(() => folder[Symbol.dispose]())

let now = 0
let said: string[] = []
let files = new FollowedFiles()
const following = () => ({ say: (sentence: string) => void said.push(sentence), files, now: () => now })
beforeEach(() => {
  now = 0
  said = []
  files = new FollowedFiles()
})

const key = newApiKey()
const keysText = `keys: [{ id: ci, sha256: ${digestOf(key)}, agent: ci-bot }]\n`

test('keys of a file that was broken count on, and no longer than the limit; mended, they count again', () => {
  const file = folder.write('keys.yaml', keysText)
  const keys = apiKeysOf(file, following())
  const agent = () => (keys.callerOf(key) as { principal: { agent?: string } }).principal.agent
  assert.equal(agent(), 'ci-bot')
  folder.write('keys.yaml', 'keys: [\n')
  assert.equal(agent(), 'ci-bot')
  assert.match(said.join('\n'), /keys\.yaml:.*\n.*was not read again: what it said before counts for 15 min more/)
  now = followedStaleMsMax - 1
  folder.write('keys.yaml', 'keys: [ \n')
  assert.equal(agent(), 'ci-bot', 'another mistake is no new beginning')
  const [unread] = files.unread()
  assert.deepEqual([unread?.file, (unread?.until ?? 0) - (unread?.since ?? 0)], [file, followedStaleMsMax])
  now = followedStaleMsMax
  assert.throws(agent, /the API key is unknown/)
  assert.match(said.at(-1) ?? '', /could not be read for too long: nothing in it counts until it can/)
  assert.equal(files.unread()[0]?.file, file)
  folder.write('keys.yaml', keysText)
  assert.equal(agent(), 'ci-bot')
  assert.deepEqual(files.unread(), [])
})

test('a file that something else stands in the place of, or whose mode changed, is looked at again', () => {
  const file = folder.write('mode.yaml', 'x')
  const followed = follow(file, (bytes) => Buffer.from(bytes).toString(), following())
  const { generation } = followed
  chmodSync(file, 0o640)
  assert.equal(followed.generation, generation + 1)
  rmSync(file)
  assert.equal(followed.value(), undefined, 'what is gone counts for nothing at once')
  assert.equal(files.unread().length, 1)
  mkdirSync(file)
  assert.equal(followed.value(), undefined)
  assert.match(said.at(-1) ?? '', /was not read again: nothing in it counts/)
  rmdirSync(file)
  folder.write('mode.yaml', 'y')
  assert.equal(followed.value(), 'y')
})

test('tokens that keys of a file have verified are verified anew when these count no more', async () => {
  await using issuer = await Issuer.start()
  const file = folder.write('jwks.json', JSON.stringify(issuer.jwks))
  const keys = keysOfFile(file, following())
  const { alg = '', kid = '' } = issuer.jwks.keys[0] ?? {}
  const asked = async () => keys.keyOf({ alg, kid }, { payload: '', signature: '' })
  const generation = await keys.generation()
  folder.write('jwks.json', '{}')
  assert.ok(await asked())
  assert.equal(await keys.generation(), generation)
  now = followedStaleMsMax
  assert.equal(await keys.generation(), generation + 1)
  await assert.rejects(asked, { status: 503 })
})

test('a credential for a server counts on: the server says what it is worth', () => {
  const file = folder.write('token', 'secret')
  const credential = credentialOf({ from: 'bearer_file', place: file, server: '' }, following())
  folder.write('token', 'two words')
  now = followedStaleMsMax * 10
  assert.deepEqual(credential(), { authorization: 'Bearer secret' })
  assert.deepEqual(
    files.unread().map(({ until }) => until),
    [undefined],
  )
})

test('certificates of clients are believed while the file of their authorities can be read, or could a moment ago', () => {
  const authority = new Authority()
  const { cert, key } = authority.issue({ subject: [['CN', 'gate']] })
  const tls = {
    cert: folder.write('gate.pem', cert),
    key: folder.write('gate.key', key),
    clientCa: folder.write('clients.pem', authority.cert),
  }
  const { trustsClients, stop } = followTls(tls, () => {}, following())
  try {
    assert.equal(trustsClients(), true)
    folder.write('clients.pem', 'no certificate')
    assert.equal(trustsClients(), true)
    now = followedStaleMsMax
    assert.equal(trustsClients(), false)
    folder.write('clients.pem', new Authority().cert)
    assert.equal(trustsClients(), true)
    rmSync(tls.clientCa)
    assert.equal(trustsClients(), false)
  } finally {
    stop()
  }
})

describe('at a real gate', () => {
  let upstream: Awaited<ReturnType<typeof recordingServer>>
  let serving: Serving
  const reader = newKey('watch', ['read'])
  before(async () => {
    upstream = await recordingServer()
    folder.write('keys.yaml', keysText)
    folder.write('approvers', `${reader.line}\n`)
    folder.write('policy.yaml', 'version: "1"\ndefault: allow\ntools: {}\n')
    const args = ['-c', 'policy.yaml', '--api-keys', 'keys.yaml', '--approvers', 'approvers', '--admin', '127.0.0.1:0']
    serving = await Serving.start(folder, ...args, '--upstream', upstream.url.href)
    await serving.says(/persons answer at/)
  })
  after(async () => {
    await serving[Symbol.asyncDispose]()
    await upstream[Symbol.asyncDispose]()
  })

  test('status and metrics tell of a file that cannot be read again', async () => {
    const admin = /persons answer at (\S+)/.exec(serving.stderr)?.[1] ?? ''
    const told = async () => {
      const headers = { authorization: `Bearer ${reader.key}` }
      const status = (await (await fetch(new URL('/v1/status', admin), { headers })).json()) as Answer
      const metrics = await (await fetch(new URL('/metrics', admin), { headers })).text()
      return [status.files_unread, /tollgate_files_unread (\d+)/.exec(metrics)?.[1]]
    }
    assert.deepEqual(await told(), [[], '0'])
    folder.write('keys.yaml', 'keys: 7\n')
    const [unread, gauge] = await told()
    assert.deepEqual([unread.length, unread[0].file, gauge], [1, 'keys.yaml', '1'])
    assert.equal(Date.parse(unread[0].counts_until) - Date.parse(unread[0].since), followedStaleMsMax)
    assert.equal((await serving.call('pay', bearer(key))).status, 200)
  })
})
