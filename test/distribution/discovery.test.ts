/** What a discovery bundle says, as OPA has it in its configuration; and what of it cannot be taken. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { discoveredIn } from '../../src/distribution/discovery.ts'
import { placeText } from '../../src/distribution/places.ts'
import { bundleOf } from '../../src/opa/bundle.ts'
import { text } from '../opa/signer.ts'

const discovered = (data: unknown, path = 'data.json') => discoveredIn(bundleOf([text(path, JSON.stringify(data))]))
const placesIn = (data: unknown, path?: string) =>
  discovered(data, path).bundles.map(({ name, place }) => `${name} ${placeText(place)}`)

const services = {
  acme: { url: 'https://control.example.com/v1/', credentials: { bearer: { token: 'not ours to show' } } },
}

test('bundles are found at their services, in the order in which they stand', () => {
  const bundles = {
    org: { service: 'acme', resource: '/bundles/org.tar.gz', signing: { keyid: 'k' } },
    team: {},
    image: { service: 'images', resource: 'registry.example.com/team/policy:1.4' },
  }
  const images = { url: 'https://registry.example.com', type: 'oci' }
  const both = { bundles, services: { ...services, images }, keys: { k: { key: 'not believed' } }, labels: { a: 'b' } }
  assert.throws(() => discovered(both), /`bundles\.team\.service` names no service$/, 'which of two would be a guess')
  assert.deepEqual(placesIn({ ...both, bundles: { ...bundles, team: { service: 'acme' } } }), [
    'org https://control.example.com/v1/bundles/org.tar.gz',
    'team https://control.example.com/v1/bundles/team',
    'image oci://registry.example.com/team/policy:1.4',
  ])
})

test('they stand in the data, or in `discovery` of it', () => {
  const config = { services: [{ name: 'acme', url: 'https://control.example.com' }], bundles: { org: {} } }
  const org = ['org https://control.example.com/bundles/org']
  assert.deepEqual(placesIn(config), org)
  assert.deepEqual(placesIn({ discovery: config, other: 1 }), org)
  assert.deepEqual(placesIn(config, 'discovery/data.json'), org)
})

test('how often a bundle is asked for, and who is told', () => {
  const polling = { min_delay_seconds: 10, max_delay_seconds: 20, long_polling_timeout_seconds: 30 }
  const { bundles, statusUrl } = discovered({
    services,
    bundles: { org: { polling } },
    status: { service: 'acme', partition_name: 'a/b' },
  })
  assert.deepEqual([bundles[0]?.rhythm, bundles[0]?.waitMs], [{ minMs: 10_000, maxMs: 20_000 }, 30_000])
  assert.equal(statusUrl?.href, 'https://control.example.com/v1/status/a%2Fb')
})

test('what says no bundles that could be taken is refused with what is wrong', () => {
  const cases: readonly (readonly [unknown, RegExp])[] = [
    [[], /the data is no object$/],
    [{}, /`bundles` is no object$/],
    [{ services, bundles: {} }, /`bundles` names none$/],
    [{ services, bundles: { org: null } }, /`bundles\.org` is no object$/],
    [{ bundles: { org: {} } }, /`bundles\.org\.service` names no service$/],
    [{ services, bundles: { org: { service: 'other' } } }, /`bundles\.org\.service` names no service$/],
    [{ services, bundles: { org: { resource: 1 } } }, /`bundles\.org\.resource` is no path of a bundle, and no image$/],
    [
      { services: { a: { url: 'https://u:p@example.com' } }, bundles: { org: {} } },
      /is no URL without user and password$/,
    ],
    [{ services: { a: { url: 'file:///etc' } }, bundles: { org: {} } }, /`services\.a\.url` is no URL/],
    [
      {
        services: { r: { url: 'https://r.example', type: 'oci' } },
        bundles: { org: { resource: 'other.example/a:1' } },
      },
      /`bundles\.org\.resource` is no path/,
    ],
    [{ services, bundles: { org: { polling: { min_delay_seconds: 9 } } } }, /has no `min_delay_seconds` below/],
    [{ services, bundles: { org: { polling: { long_polling_timeout_seconds: 1e9 } } } }, /is not within 1 and 600$/],
    [{ services, bundles: { org: {} }, status: { service: 'x' } }, /`status\.service` names no service$/],
  ]
  for (const [data, message] of cases)
    assert.throws(() => discovered(data), { code: 'discovery_invalid', message }, JSON.stringify(data))
  const rego = bundleOf([text('discovery.rego', 'package discovery\n')])
  assert.throws(() => discoveredIn(rego), { code: 'discovery_invalid', message: /`discovery\.rego` is Rego/ })
})
