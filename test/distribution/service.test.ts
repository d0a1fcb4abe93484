/** A bundle service is asked as OPA asks one, and what it does wrong is named. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { SourceError } from '../../src/distribution/errors.ts'
import { wholeAgainMs } from '../../src/distribution/limits.ts'
import type { SecretFiles } from '../../src/distribution/secrets.ts'
import { bundleType, Service } from '../../src/distribution/service.ts'
import type { Answer, Question } from '../../src/distribution/source.ts'
import { bundleBytesMax } from '../../src/opa/limits.ts'

const bytes = gzipSync('a bundle, as far as a service knows')
const folder = mkdtempSync(join(tmpdir(), 'tollgate-service-'))
let server: Server
let other: Server
let asked: IncomingMessage[] = []
let answer: RequestListener = () => undefined

async function listening(listener: RequestListener): Promise<Server> {
  const started = createServer(listener)
  await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve))
  return started
}

before(async () => {
  server = await listening((request, response) => {
    asked.push(request)
    answer(request, response)
  })
  other = await listening((_, response) => response.end(bytes))
})
after(() => {
  for (const one of [server, other]) {
    one.closeAllConnections()
    one.close()
  }
  rmSync(folder, { recursive: true })
})

const urlOf = (one: Server, path = '/bundles/org') =>
  new URL(`http://127.0.0.1:${(one.address() as AddressInfo).port}${path}`)

function ask(listener: RequestListener, question: Partial<Question> = {}, files: SecretFiles = {}): Promise<Answer> {
  asked = []
  answer = listener
  return new Service(urlOf(server), files).ask({
    etag: undefined,
    waitMs: 0,
    signal: new AbortController().signal,
    ...question,
  })
}

async function refusal(listener: RequestListener, question: Partial<Question> = {}): Promise<SourceError> {
  const error = await ask(listener, question).then(
    () => assert.fail('it was taken'),
    (thrown: unknown) => thrown,
  )
  assert.ok(error instanceof SourceError, String(error))
  return error
}

test('a bundle and its ETag are taken, and the next question shows the ETag', async () => {
  const found = await ask((_, response) =>
    response.writeHead(200, { etag: '"1"', 'content-type': 'application/gzip' }).end(bytes),
  )
  assert.deepEqual(found, { kind: 'found', bytes, etag: '"1"', waits: false })
  assert.equal(asked[0]?.headers['prefer'], 'modes=snapshot')
  assert.equal(asked[0]?.headers['if-none-match'], undefined)

  const same = await ask((_, response) => response.writeHead(304).end(), { etag: '"1"' })
  assert.deepEqual(same, { kind: 'same', waits: false })
  assert.equal(asked[0]?.headers['if-none-match'], '"1"')
})

test('a service that holds answers is asked to, and is asked again at once only when it did', async () => {
  const held = await ask((_, response) => setTimeout(() => response.writeHead(304).end(), 600), {
    etag: '"1"',
    waitMs: 1_500,
  })
  assert.equal(asked[0]?.headers['prefer'], 'modes=snapshot;wait=2')
  assert.equal(held.waits, true)
  const atOnce = await ask((_, response) => response.writeHead(304).end(), { etag: '"1"', waitMs: 30_000 })
  assert.equal(atOnce.waits, false, 'else it would be asked without an end')
  const changed = await ask((_, response) => response.writeHead(200, { 'content-type': bundleType }).end(bytes))
  assert.equal(changed.waits, true)
})

test('once in an hour it is asked for the whole bundle, whatever it says', async () => {
  let now = 0
  const service = new Service(urlOf(server), {}, { clock: () => now })
  const question = { etag: '"1"', waitMs: 0, signal: new AbortController().signal }
  answer = (_, response) => response.writeHead(304).end()
  asked = []
  await service.ask(question)
  now = wholeAgainMs
  await assert.rejects(
    service.ask(question),
    { code: 'bundle_etag_wrong' },
    'nothing was shown that it could compare with',
  )
  assert.deepEqual(
    asked.map(({ headers }) => headers['if-none-match']),
    ['"1"', undefined],
  )
  now = -wholeAgainMs
  await assert.rejects(service.ask(question), { code: 'bundle_etag_wrong' }, 'a clock that was put back spares nobody')
})

test('a token is read with every question, and shown to no other host', async () => {
  const file = join(folder, 'token')
  writeFileSync(file, 's3cret\n')
  await ask((_, response) => response.end(bytes), {}, { token: file })
  assert.equal(asked[0]?.headers.authorization, 'Bearer s3cret')
  writeFileSync(file, 'ci:next\n')
  await ask((_, response) => response.end(bytes), {}, { token: file })
  assert.equal(asked[0]?.headers.authorization, `Basic ${Buffer.from('ci:next').toString('base64')}`)
  writeFileSync(file, 'two words')
  await assert.rejects(
    ask((_, response) => response.end(bytes), {}, { token: file }),
    ({ code, message }: SourceError) => code === 'bundle_credential_missing' && !message.includes('words'),
  )
  await assert.rejects(
    ask((_, response) => response.end(bytes), {}, { token: join(folder, 'none') }),
    {
      code: 'bundle_credential_missing',
    },
  )
})

test('a redirect on the same host is followed, one to another is not', async () => {
  const moved = await ask((request, response) =>
    request.url === '/new' ? response.end(bytes) : response.writeHead(302, { location: '/new' }).end(),
  )
  assert.equal(moved.kind, 'found')
  const away = await refusal((_, response) => response.writeHead(302, { location: urlOf(other).href }).end())
  assert.equal(away.code, 'bundle_redirected')
  assert.match(away.message, /redirects to `http:\/\/127\.0\.0\.1:\d+`, and only its own host is asked$/)
  const circle = await refusal((_, response) => response.writeHead(302, { location: '/bundles/org' }).end())
  assert.match(circle.message, /redirects more than 3 times$/)
  const nowhere = await refusal((_, response) => response.writeHead(302, { location: 'http://[' }).end())
  assert.match(nowhere.message, /redirects to what is no address/)
})

test('what is no bundle is named as that, before anybody verifies it', async () => {
  const html = await refusal((_, response) =>
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end('<html>'),
  )
  assert.equal(html.code, 'bundle_content_wrong')
  assert.match(html.message, /answered with `text\/html`: a bundle is `application\/gzip`$/)
  const called = await refusal((_, response) =>
    response.writeHead(200, { 'content-type': 'application/gzip' }).end('<html>'),
  )
  assert.equal(called.code, 'bundle_content_wrong')
  const empty = await refusal((_, response) => response.writeHead(200, { 'content-type': 'application/gzip' }).end())
  assert.equal(empty.code, 'bundle_absent')
})

test('a service that lies about its ETag is found out', async () => {
  const nothing = await refusal((_, response) => response.writeHead(304).end())
  assert.deepEqual([nothing.code, /was told of nothing/.test(nothing.message)], ['bundle_etag_wrong', true])
  const another = await refusal((_, response) => response.writeHead(304, { etag: '"2"' }).end(), { etag: '"1"' })
  assert.equal(
    (await ask((_, response) => response.writeHead(304, { etag: 'W/"1"' }).end(), { etag: '"1"' })).kind,
    'same',
  )
  assert.deepEqual([another.code, /names another one$/.test(another.message)], ['bundle_etag_wrong', true])
})

test('a status that brings nothing is told with what it may mean, and with the patience that is asked for', async () => {
  const denied = await refusal((_, response) => response.writeHead(401).end('no'))
  assert.deepEqual([denied.code, denied.httpCode], ['bundle_status_wrong', 401])
  assert.match(
    denied.message,
    /answered with status 401: it wants a credential \(`--bundle-token-file`\), or another one$/,
  )
  const busy = await refusal((_, response) => response.writeHead(503, { 'retry-after': '7' }).end())
  assert.deepEqual([busy.httpCode, busy.retryAfterMs], [503, 7_000])
})

test('an answer that is too large is not read to its end', async () => {
  const told = await refusal((_, response) =>
    response.writeHead(200, { 'content-length': bundleBytesMax + 1 }).flushHeaders(),
  )
  assert.equal(told.code, 'bundle_too_large')
  let sent = 0
  const chunk = Buffer.alloc(1024 * 1024, 1)
  const untold = await refusal((_, response) => {
    const more = () => {
      sent += chunk.length
      if (response.destroyed) return
      response.write(chunk, more)
    }
    more()
  })
  assert.equal(untold.code, 'bundle_too_large')
  assert.ok(sent < bundleBytesMax * 2, `${sent} bytes were sent`)
})

test('a server that cannot be reached, and one that breaks off, are told apart from a wrong answer', async () => {
  const broken = await refusal((request) => request.socket.destroy())
  assert.equal(broken.code, 'bundle_unreachable')
  const half = await refusal((_, response) => {
    response.writeHead(200, { 'content-length': 100 }).write('half')
    setTimeout(() => response.destroy(), 20)
  })
  assert.equal(half.code, 'bundle_unreachable')
})

test('a server that hangs, and one that sends a byte now and then, have their time and no more', async () => {
  const service = new Service(urlOf(server), {}, { patience: { connectMs: 1_000, headersMs: 200, answerMs: 900 } })
  const question = { etag: undefined, waitMs: 0, signal: new AbortController().signal }
  answer = () => undefined
  await assert.rejects(service.ask(question), { code: 'bundle_timeout', message: /did not answer in time$/ })
  answer = (_, response) => {
    const timer = setInterval(() => response.write('x'), 50)
    response.once('close', () => clearInterval(timer))
  }
  await assert.rejects(service.ask(question), { code: 'bundle_timeout' })
})

test('a question that is no longer wanted ends with why', async () => {
  const ending = new AbortController()
  const asking = ask(() => ending.abort(new Error('the gate ends')), { signal: ending.signal })
  await assert.rejects(asking, { message: 'the gate ends' })
})
