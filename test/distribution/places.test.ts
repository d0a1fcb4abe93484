/** Where bundles are: what is a place and what is none, and when each is asked. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pollDelayMs, retryDelayMs } from '../../src/distribution/backoff.ts'
import { isOpenToOthers, type Place, placeIn, placeKey, placeText } from '../../src/distribution/places.ts'
import { requireDisjoint } from '../../src/distribution/roots.ts'

test('a place is a file, a URL or an image, and is named as it was written', () => {
  const digest = `sha256:${'0'.repeat(64)}`
  const written = [
    'policies/org.tar.gz',
    '/etc/tollgate/bundle',
    'https://bundles.example.com/bundles/org',
    'oci://registry.example.com/team/policy:1.4',
    'oci://[::1]:5000/policy:latest',
    `oci://ghcr.io/acme/team/policy@${digest}`,
  ]
  for (const text of written) assert.equal(placeText(placeIn(text) as Place), text)
  assert.equal(placeText(placeIn('oci://r.example/policy') as Place), 'oci://r.example/policy:latest')
  assert.equal(placeText(placeIn(`oci://r.example/policy:1@${digest}`) as Place), `oci://r.example/policy@${digest}`)
})

test('what stands behind a `?` may open the place, and is not shown', () => {
  const place = placeIn('https://store.example.com/org.tar.gz?sig=s3cret') as Place
  assert.equal(placeText(place), 'https://store.example.com/org.tar.gz?…')
  assert.notEqual(placeKey(place), placeKey(placeIn('https://store.example.com/org.tar.gz?sig=other') as Place))
})

test('what names a user, an unknown scheme or no image is no place', () => {
  const wrong = [
    '',
    'https://ana:secret@example.com/b',
    'ftp://example.com/b',
    'oci://policy:1',
    'oci://r.example/UPPER:1',
  ]
  for (const text of [...wrong, 'oci://r.example/a:1@sha256:short', 'https://', 's3://bucket/b'])
    assert.equal(placeIn(text), undefined, text)
})

test('a token goes in the open to this machine alone', () => {
  const open = (text: string) => isOpenToOthers(placeIn(text) as Place)
  assert.deepEqual(
    [
      'http://bundles.example.com/b',
      'http://127.0.0.1.example.com/b',
      'http://127.0.0.1:8/b',
      'http://localhost/b',
      'https://example.com/b',
    ].map(open),
    [true, true, false, false, false],
  )
})

test('a place is asked within its range, later after each failure, and no sooner than it asks for', () => {
  const rhythm = { minMs: 60_000, maxMs: 120_000 }
  assert.deepEqual(
    [0, 0.5, 1].map((chance) => pollDelayMs(rhythm, chance)),
    [60_000, 90_000, 120_000],
  )
  const middle = [0, 1, 2, 10, 30, 10_000].map((failures) => Math.round(retryDelayMs(failures, rhythm, 0.5)))
  assert.deepEqual(middle, [100, 160, 256, 10_995, 120_000, 120_000])
  assert.deepEqual(
    [0, 1].map((chance) => retryDelayMs(0, rhythm, chance)),
    [80, 120],
  )
  assert.equal(retryDelayMs(0, rhythm, 0.5, 30_000), 30_000)
  assert.equal(retryDelayMs(0, rhythm, 0.5, 999_999_000), 120_000, 'nobody asks for silence for ever')
})

test('bundles own roots of their own', () => {
  const bundles = (...roots: readonly (readonly string[])[]) =>
    roots.map((own, index) => ({ name: `b${index}`, roots: own }))
  requireDisjoint(bundles(['org', 'shared/a'], ['team', 'shared/b', 'organisation']))
  requireDisjoint(bundles(['org', 'org/team']))
  for (const [one, other, root] of [
    [['org'], ['org'], 'org'],
    [['org'], ['org/team'], 'org/team'],
    [['a/b'], ['a'], 'a/b'],
    [[''], ['team'], 'team'],
  ] as const)
    assert.throws(() => requireDisjoint(bundles(one, other)), {
      code: 'bundle_roots_overlap',
      message: `bundles \`b0\` and \`b1\` both own \`${root}\`: give each roots of its own`,
    })
})
