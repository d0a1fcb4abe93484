/** Who is believed by address, and names of headers and URLs that settings take. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keysUrl } from '../../src/identity/issuers.ts'
import { metadataAt } from '../../src/identity/resource.ts'
import { loopbackPeers, Peers } from '../../src/identity/trustedHeader.ts'

test('addresses and networks are compared as numbers, IPv4 in IPv6 as IPv4', () => {
  const peers = new Peers([...loopbackPeers, '10.1.0.0/16', '2001:db8::/32', '192.0.2.7'])
  for (const address of [
    '127.0.0.1',
    '127.9.9.9',
    '::1',
    '::ffff:127.0.0.1',
    '10.1.255.1',
    '2001:DB8:0::5',
    '192.0.2.7',
  ])
    assert.ok(peers.has(address), address)
  for (const address of [undefined, '', '10.2.0.1', '::ffff:10.2.0.1', '192.0.2.70', '2001:db9::1', 'localhost', '::2'])
    assert.ok(!peers.has(address), String(address))
})

test('what is no address or no network is refused', () => {
  for (const text of ['', 'localhost', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/8/8', '::/129', '10.0.0', '10.0.0.0/-1'])
    assert.throws(() => new Peers([text]), text)
})

test('keys come over TLS, or from this machine', () => {
  for (const text of ['https://a.example/k', 'http://127.0.0.1:1/k', 'http://[::1]/k', 'http://localhost/k'])
    assert.ok(keysUrl(text), text)
  for (const text of [
    'http://a.example/k',
    'ftp://a/k',
    'https://u:p@a.example/k',
    'http://localhost.evil.example/k',
    'x',
  ])
    assert.equal(keysUrl(text), undefined, text)
})

test('metadata are there for the paths that are served and for the root, and only where tokens are taken', () => {
  const options = { origin: 'https://g.example', issuers: ['https://i.example'], scopes: [] }
  const at = (path: string) => metadataAt(path, (served) => served === '/a/mcp', options)
  const root = '/.well-known/oauth-protected-resource'
  assert.equal(JSON.parse(at(`${root}/a/mcp`) ?? '{}').resource, 'https://g.example/a/mcp')
  assert.equal(JSON.parse(at(root) ?? '{}').resource, 'https://g.example')
  for (const path of [`${root}/b/mcp`, `${root}/`, `${root}x`, '/a/mcp', `/x${root}/a/mcp`])
    assert.equal(at(path), undefined, path)
  assert.equal(
    metadataAt(root, () => true, { ...options, issuers: [] }),
    undefined,
  )
})
