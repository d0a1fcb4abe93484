/** Whatever is changed of a token, it is not taken; and no text that could stand in the header makes the gate fail. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { defaultMapping } from '../../src/identity/claims.ts'
import type { Identity } from '../../src/identity/identity.ts'
import { defaults } from '../../src/identity/issuers.ts'
import { openIdentity } from '../../src/identity/open.ts'
import { algorithms } from '../../src/identity/tokens.ts'
import { fc } from '../random.ts'
import { Issuer } from './fixtures/issuer.ts'
import { Folder } from './fixtures/serving.ts'

const folder = new Folder()
let issuer: Issuer
let identity: Identity
let token: string

before(async () => {
  issuer = await Issuer.start()
  const { clockSkewMs, refreshMs, cooldownMs } = defaults
  const keys = { file: folder.write('keys.json', JSON.stringify(issuer.jwks)), refreshMs, cooldownMs }
  const about = { issuer: issuer.issuer, audience: [issuer.audience], algorithms, clockSkewMs, scopes: [], keys }
  const issuers = [{ kind: 'jwt' as const, ...about, mapping: defaultMapping }]
  identity = openIdentity({ issuers, apiKeys: [] }, { say: () => {} })
  token = await issuer.token()
})
after(async () => {
  await issuer[Symbol.asyncDispose]()
  folder[Symbol.dispose]()
})

const statusOf = async (authorization: string) => {
  const identified = await identity.identify({ headers: { authorization: [authorization] }, address: '127.0.0.1' })
  return 'principal' in identified ? 200 : identified.refused.status
}

test('a token with one other character is refused, unless it is the same bytes', async () => {
  assert.equal(await statusOf(`Bearer ${token}`), 200)
  const characters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.='
  const bytes = (text: string) =>
    text
      .split('.')
      .map((part) => Buffer.from(part, 'base64url').toString('hex'))
      .join('.')
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: token.length - 1 }), fc.constantFrom(...characters), async (at, character) => {
      const changed = `${token.slice(0, at)}${character}${token.slice(at + 1)}`
      fc.pre(bytes(changed) !== bytes(token))
      assert.equal(await statusOf(`Bearer ${changed}`), 401)
    }),
    { numRuns: 500 },
  )
})

test('parts of tokens and of nothing are refused, and the gate does not fail', async () => {
  const part = fc.oneof(fc.constantFrom(...token.split('.'), 'e30', 'bnVsbA', 'W10', ''), fc.base64String())
  const text = fc.oneof(
    fc.array(part, { maxLength: 5 }).map((parts) => parts.join('.')),
    fc.string(),
  )
  await fc.assert(
    fc.asyncProperty(fc.constantFrom('Bearer ', 'bearer  ', '', 'Basic '), text, async (scheme, rest) => {
      fc.pre(rest !== token)
      assert.equal(await statusOf(`${scheme}${rest}`), 401)
    }),
    { numRuns: 500 },
  )
})
