/**
 * Several bundles become active together, a bad one leaves what was active, and the last good one is on disk. Places and
 * verification are scripted here; the disk is real. `test/cli/bundles.test.ts` has all of it around a real gate.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { type Active, Distribution, type Failed, type Ports } from '../../src/distribution/distribution.ts'
import { Kept } from '../../src/distribution/kept.ts'
import { verifyAgainMs } from '../../src/distribution/limits.ts'
import type { Answer, Question, Source } from '../../src/distribution/source.ts'
import { Supply, type Verified } from '../../src/distribution/supply.ts'
import { TollgateError } from '../../src/model/errors.ts'
import type { Committer } from './fixtures/committer.ts'

const folder = mkdtempSync(join(tmpdir(), 'tollgate-distribution-'))
after(() => rmSync(folder, { recursive: true }))

let stores = 0
const newStore = () => join(folder, `store-${stores++}`)

/** `REVISION SEQUENCE ROOT [EXPIRY]`, or what is wrong with it. */
let opened = 0

async function open(bytes: Uint8Array, seen: { sequence: number } | undefined): Promise<Verified<string>> {
  opened++
  const [revision = '', sequence, root = '', expiry] = Buffer.from(bytes).toString('utf8').split(' ')
  if (revision === 'bad') throw new TollgateError('bundle_signature_wrong', 'the signature does not match')
  if (Number(sequence) < (seen?.sequence ?? 0)) throw new TollgateError('bundle_older', `sequence ${sequence} is older`)
  if (Number(expiry) <= now) throw new TollgateError('bundle_expired', 'it expired')
  return {
    revision,
    roots: [root],
    seen: { sequence: Number(sequence), content: revision },
    ...(expiry !== undefined && { expiresAtMs: Number(expiry) }),
    content: revision,
  }
}

let now = Date.UTC(2026, 2, 2)

class Scripted implements Source {
  questions: Question[] = []
  #answers: (() => Answer)[] = []
  #idle: (() => void) | undefined
  #waiting: (() => void) | undefined

  says(text: string, etag?: string): this {
    return this.does(() => ({ kind: 'found', bytes: Buffer.from(text), etag, waits: true }))
  }

  does(answer: () => Answer): this {
    this.#answers.push(answer)
    this.#waiting?.()
    return this
  }

  /** All that was said was answered, and is asked for more. */
  idle(): Promise<void> {
    if (this.#waiting && this.#answers.length === 0) return Promise.resolve()
    return new Promise((resolve) => {
      this.#idle = resolve
    })
  }

  async ask(question: Question): Promise<Answer> {
    this.questions.push(question)
    while (this.#answers.length === 0) {
      this.#idle?.()
      await new Promise<void>((resolve, reject) => {
        this.#waiting = resolve
        question.signal.addEventListener('abort', () => reject(question.signal.reason))
      })
      this.#waiting = undefined
    }
    return (this.#answers.shift() as () => Answer)()
  }
}

interface Set {
  readonly distribution: Distribution<string>
  readonly activations: Active<string>[]
  readonly failures: Failed[]
  readonly said: string[]
  readonly expired: string[]
  refuse: string | undefined
  follow(): { stop(): void; reload(): void }
}

function setOf(store: string, sources: Readonly<Record<string, Source>>, pollMs = 1): Set {
  const supplies = Object.entries(sources).map(
    ([name, source]) =>
      new Supply<string>({
        name,
        place: `https://bundles.example.com/${name}`,
        source,
        isRemote: true,
        rhythm: { minMs: pollMs, maxMs: pollMs },
        waitMs: 30_000,
        kept: new Kept(store, name, name),
        open,
        clock: () => now,
      }),
  )
  const set: Set = {
    distribution: new Distribution(supplies, () => now),
    activations: [],
    failures: [],
    said: [],
    expired: [],
    refuse: undefined,
    follow: () => set.distribution.follow(ports),
  }
  const ports: Ports<string> = {
    activate(active) {
      if (set.refuse !== undefined) throw new TollgateError('layers_invalid', set.refuse)
      set.activations.push(active)
    },
    expired: (sentence) => set.expired.push(sentence),
    failed: (failed) => set.failures.push(failed),
    say: (sentence) => set.said.push(sentence),
    asked: () => undefined,
    chance: () => 0,
  }
  return set
}

const revisions = (active: Active<string> | undefined) => active?.map(({ name, revision }) => `${name}=${revision}`)
const codes = ({ failures }: Set) => failures.map(({ error }) => (error as TollgateError).code)

test('the first of each are made active together, and each next one with those that stay', async () => {
  const org = new Scripted().says('o1 1 org', '"o1"')
  const team = new Scripted().says('t1 1 team')
  const set = setOf(newStore(), { org, team })
  assert.deepEqual(revisions(await set.distribution.first(() => undefined)), ['org=o1', 'team=t1'])
  set.distribution.started()
  const { stop } = set.follow()
  await org.says('o2 2 org').idle()
  assert.deepEqual(set.activations.map(revisions), [['org=o2', 'team=t1']])
  assert.equal(org.questions[1]?.etag, '"o1"', 'what is active is told by its ETag')
  assert.deepEqual(
    [set.distribution.status()['org']?.active_revision, set.distribution.status()['org']?.sequence],
    ['o2', 2],
  )
  stop()
})

test('a bad one leaves the old one active and says why, once; the good one after it clears that', async () => {
  const org = new Scripted().says('o1 5 org', '"o1"')
  const set = setOf(newStore(), { org })
  await set.distribution.first(() => undefined)
  set.distribution.started()
  const { stop } = set.follow()
  await org.says('bad', '"b"').says('bad', '"b"').says('o0 4 org', '"o0"').says('other bytes', '"o1"').idle()
  assert.deepEqual(codes(set), [
    'bundle_signature_wrong',
    'bundle_signature_wrong',
    'bundle_older',
    'bundle_etag_wrong',
  ])
  assert.deepEqual(
    set.failures.map(({ again }) => again),
    [false, true, false, false],
  )
  assert.deepEqual(set.activations, [])
  const status = set.distribution.status()['org']
  assert.deepEqual([status?.active_revision, status?.code], ['o1', 'bundle_etag_wrong'])
  await org.says('o1 5 org', '"o1"').idle()
  assert.equal(set.distribution.status()['org']?.code, undefined)
  assert.deepEqual(set.activations, [], 'the same bytes are not made active again')
  assert.deepEqual(set.said, ['bundle `org` comes from `https://bundles.example.com/org` again'])
  stop()
})

test('after a failure the answer is not held, and is held again once the place is back', async () => {
  const org = new Scripted().says('o1 1 org', '"o1"')
  const set = setOf(newStore(), { org }, 600_000)
  await set.distribution.first(() => undefined)
  set.distribution.started()
  const { stop } = set.follow()
  await org.idle()
  org.does(() => {
    throw new TollgateError('bundle_unreachable', 'it cannot be reached')
  })
  await org.idle()
  const status = () => set.distribution.status()['org']
  assert.equal(status()?.code, 'bundle_unreachable')
  org.does(() => ({ kind: 'same', waits: false }))
  await org.idle()
  assert.equal(status()?.code, undefined)
  assert.deepEqual(
    org.questions.map(({ waitMs, etag }) => [waitMs, etag]),
    [
      [30_000, undefined],
      [30_000, '"o1"'],
      [0, '"o1"'],
      [30_000, '"o1"'],
    ],
  )
  stop()
})

test('bytes that are no good are not verified each second, and again after a while: keys may have been added', async () => {
  const org = new Scripted().says('o1 1 org', '"o1"')
  const set = setOf(newStore(), { org })
  await set.distribution.first(() => undefined)
  set.distribution.started()
  const { stop } = set.follow()
  const before = opened
  await org.says('bad').says('bad').says('bad').idle()
  assert.deepEqual([opened - before, codes(set).length], [1, 3])
  now += verifyAgainMs
  await org.says('bad').idle()
  assert.equal(opened - before, 2)
  now -= 365 * 24 * 60 * 60_000
  await org.says('bad').idle()
  assert.equal(opened - before, 3, 'a clock that is put right does not leave them refused for a year')
  now += 365 * 24 * 60 * 60_000
  stop()
})

test('what waits while another is missing, and is not what was written last, does not decide unremembered', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const org = new Scripted().says('o1 1 org', '"o1"')
  const team = new Scripted().says('t1 1 team')
  const third = new Scripted().says(`x1 1 third ${now + 1_000}`)
  const set = setOf(newStore(), { org, team, third })
  await set.distribution.first(() => undefined)
  set.distribution.started()
  const { stop } = set.follow()
  now += 1_000
  t.mock.timers.tick(1_000)
  assert.equal(set.expired.length, 1)
  await org.says('o2 2 org', '"o2"').idle()
  await org.says('o3 3 team', '"o3"').idle()
  assert.deepEqual(codes(set), ['bundle_roots_overlap'])
  await third.says('x2 2 third').idle()
  assert.deepEqual(set.activations, [])
  await org.says('o4 4 org', '"o4"').idle()
  assert.deepEqual(set.activations.map(revisions), [['org=o4', 'team=t1', 'third=x2']])
  await org.says('o2 2 org', '"o2"').idle()
  assert.deepEqual(codes(set), ['bundle_roots_overlap', 'bundle_older'])
  stop()
})

test('a first question that is not answered ends when nobody waits for it any more', async () => {
  const org = new Scripted()
  const ending = new AbortController()
  const first = setOf(newStore(), { org }).distribution.first(() => undefined, ending.signal)
  await org.idle()
  ending.abort()
  await assert.rejects(first, { name: 'AbortError' })
})

test('what was prepared is behind once a newer one was kept, and must not take its place', async () => {
  const store = newStore()
  const old = new Scripted().says('o1 1 org', '"o1"')
  const set = setOf(store, { org: old })
  await set.distribution.first(() => undefined)
  set.distribution.started()
  const prepared = setOf(store, { org: new Scripted() })
  await prepared.distribution.first(() => undefined)
  prepared.distribution.requireLatest()
  const { stop } = set.follow()
  await old.says('o2 2 org', '"o2"').idle()
  stop()
  assert.throws(() => prepared.distribution.requireLatest(), { code: 'bundle_older', message: /1, and 2 was reached/ })
})

test('what must not decide here is refused, and is not what a next start begins with', async () => {
  const store = newStore()
  const org = new Scripted().says('o1 1 org')
  const set = setOf(store, { org })
  await set.distribution.first(() => undefined)
  set.distribution.started()
  set.refuse = 'two layers count together'
  const { stop } = set.follow()
  await org.says('o2 2 org').idle()
  assert.deepEqual(codes(set), ['layers_invalid'])
  assert.equal(set.distribution.status()['org']?.active_revision, 'o1')
  stop()
  const again = setOf(store, { org: new Scripted() })
  assert.deepEqual(revisions(await again.distribution.first(() => undefined)), ['org=o1'])
})

test('whoever asks for it has the places asked at once', async () => {
  const org = new Scripted().says('o1 1 org')
  const set = setOf(newStore(), { org }, 60 * 60_000)
  await set.distribution.first(() => undefined)
  set.distribution.started()
  const { stop, reload } = set.follow()
  const same = new Promise<void>((resolve) => {
    org.does(() => {
      setImmediate(resolve)
      return { kind: 'same', waits: false }
    })
  })
  await same
  reload()
  await org.says('o2 2 org').idle()
  assert.deepEqual(set.activations.map(revisions), [['org=o2']])
  stop()
})

test('bundles that own the same are refused, at the start and later', async () => {
  const sources = { org: new Scripted().says('o1 1 tollgate/org'), team: new Scripted().says('t1 1 tollgate') }
  await assert.rejects(
    setOf(newStore(), sources).distribution.first(() => undefined),
    { code: 'bundle_roots_overlap' },
  )
  const org = new Scripted().says('o1 1 org')
  const set = setOf(newStore(), { org, team: new Scripted().says('t1 1 team') })
  await set.distribution.first(() => undefined)
  set.distribution.started()
  const { stop } = set.follow()
  await org.says('o2 2 team/below').idle()
  assert.deepEqual([codes(set), set.activations], [['bundle_roots_overlap'], []])
  stop()
})

test('a start without a network goes on with what was kept, and an older one is refused after it too', async () => {
  const store = newStore()
  const set = setOf(store, { org: new Scripted().says('o3 3 org', '"o3"') })
  await set.distribution.first(() => undefined)
  set.distribution.started()
  const dead = new Scripted()
  const next = setOf(store, { org: dead })
  assert.deepEqual(revisions(await next.distribution.first((sentence) => next.said.push(sentence))), ['org=o3'])
  assert.deepEqual(next.said, ['bundle `org` is as it was kept, revision `o3`: its place is asked now'])
  next.distribution.started()
  assert.equal(next.distribution.status()['org']?.kept, true)
  const { stop } = next.follow()
  await dead.says('o2 2 org').idle()
  assert.equal(dead.questions[0]?.etag, '"o3"', 'it is asked at once, whether that is still the one')
  assert.deepEqual([codes(next), next.activations], [['bundle_older'], []])
  await dead.says('o4 4 org').idle()
  assert.equal(next.distribution.status()['org']?.kept, false)
  stop()
})

test('what is kept is verified again, and its sequence counts though it is good no longer', async () => {
  const store = newStore()
  const set = setOf(store, { org: new Scripted().says(`o3 3 org ${now + 1_000}`) })
  await set.distribution.first(() => undefined)
  set.distribution.started()
  now += 2_000
  const says: string[] = []
  const older = setOf(store, { org: new Scripted().says('o2 2 org') })
  await assert.rejects(
    older.distribution.first((sentence) => says.push(sentence)),
    { code: 'bundle_older' },
  )
  assert.deepEqual(says, ['what is kept of bundle `org` is good no longer: it expired'])
})

test('what is kept and cannot be read stops the start: what it knew may not be forgotten', async () => {
  const store = newStore()
  const set = setOf(store, { org: new Scripted().says('o3 3 org') })
  await set.distribution.first(() => undefined)
  set.distribution.started()
  const file = join(new Kept(store, 'org', 'org').folder, 'bundle.3')
  const whole = readFileSync(file)
  for (const damaged of [whole.subarray(0, -1), whole.subarray(10), Buffer.from(''), Buffer.concat([whole, whole])]) {
    writeFileSync(file, damaged)
    await assert.rejects(
      setOf(store, { org: new Scripted().says('o9 9 org') }).distribution.first(() => undefined),
      {
        code: 'bundle_store_damaged',
        message: /remove it to begin without it$/,
      },
    )
  }
})

test('a bundle that cannot be kept does not become active', async () => {
  const store = newStore()
  const org = new Scripted().says('o1 1 org')
  const set = setOf(store, { org })
  await set.distribution.first(() => undefined)
  set.distribution.started()
  const inside = new Kept(store, 'org', 'org').folder
  rmSync(inside, { recursive: true })
  writeFileSync(inside, 'no folder')
  const { stop } = set.follow()
  await org.says('o2 2 org').idle()
  assert.deepEqual([codes(set), set.activations], [['bundle_store_unwritable'], []])
  stop()
})

test('a process that is behind another one does not take back what that one has seen', async () => {
  const store = newStore()
  const behind = setOf(store, { org: new Scripted().says('o1 1 org') })
  const ahead = setOf(store, { org: new Scripted().says('o7 7 org') })
  await behind.distribution.first(() => undefined)
  await ahead.distribution.first(() => undefined)
  ahead.distribution.started()
  behind.distribution.started()
  assert.equal(new Kept(store, 'org', 'org').read()?.state.seen?.sequence, 7)
})

test('what another process has seen, which shares the store, counts for one that runs already', async () => {
  const store = newStore()
  const org = new Scripted().says('o1 1 org')
  const behind = setOf(store, { org })
  await behind.distribution.first(() => undefined)
  behind.distribution.started()
  const newer = new Scripted()
  const ahead = setOf(store, { org: newer })
  await ahead.distribution.first(() => undefined)
  ahead.distribution.started()
  const following = [ahead.follow(), behind.follow()]
  await newer.says('o7 7 org').idle()
  await org.says('o3 3 org').idle()
  assert.deepEqual([codes(behind), behind.activations], [['bundle_older'], []])
  await org.says('o7 7 org').idle()
  assert.deepEqual(behind.activations.map(revisions), [['org=o7']])
  for (const { stop } of following) stop()
})

test('of two that keep bundles at the same moment the newer one stays', async () => {
  const store = newStore()
  const rounds = 60
  const counts = new SharedArrayBuffer(8)
  const workers = ([0, 1] as const).map(
    (which) =>
      new Worker(new URL('./fixtures/committer.ts', import.meta.url), {
        workerData: { store, which, rounds, counts } satisfies Committer,
      }),
  )
  try {
    await Promise.all(workers.map((worker) => once(worker, 'exit')))
  } finally {
    for (const worker of workers) await worker.terminate()
  }
  const [steps, lost] = new Int32Array(counts)
  assert.deepEqual([steps, lost], [6 * rounds, 0])
  assert.deepEqual(readdirSync(new Kept(store, 'org', 'org').folder), [`bundle.${2 * rounds}`], 'nothing else is left')
})

test('a bundle that expires while it decides leaves nothing that does, until a newer one comes', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const org = new Scripted().says(`o1 1 org ${now + 5_000}`)
  const team = new Scripted().says('t1 1 team')
  const set = setOf(newStore(), { org, team })
  await set.distribution.first(() => undefined)
  set.distribution.started()
  const { stop } = set.follow()
  t.mock.timers.tick(1_000)
  assert.deepEqual(set.expired, [])
  now += 5_000
  t.mock.timers.tick(1_000)
  assert.deepEqual(set.expired, [`bundle \`org\` (revision \`o1\`) expired at ${new Date(now).toISOString()}`])
  const { active_revision, code } = set.distribution.status()['org'] ?? {}
  assert.deepEqual([active_revision, code], ['', 'bundle_expired'])
  t.mock.timers.tick(1_000)
  assert.equal(set.expired.length, 1, 'it is told once')
  await org.does(() => ({ kind: 'same', waits: true })).idle()
  assert.deepEqual(
    [set.distribution.status()['org']?.code, set.said],
    ['bundle_expired', []],
    'that nothing changed, said to a question from before, brings nothing',
  )
  await team.says('t2 2 team').idle()
  assert.deepEqual(set.activations, [], 'the others do not decide without it')
  await org.says('o2 2 org').idle()
  assert.deepEqual(set.activations.map(revisions), [['org=o2', 'team=t2']])
  stop()
})
