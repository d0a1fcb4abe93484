/** The admission server over TLS, with a certificate that is renewed; and what the command line must say of it. */
import assert from 'node:assert/strict'
import { request } from 'node:https'
import { test } from 'node:test'
import { AdmissionServer } from '../../src/admission/server.ts'
import { admissionOf } from '../../src/cli/admission.ts'
import { Approvals } from '../../src/pep/approvals.ts'
import { Kills } from '../../src/pep/kills.ts'
import { openGateWith } from '../../src/runtime/open.ts'
import { Authority } from '../identity/fixtures/certificates.ts'

test('the server speaks TLS, with the certificate that it was given last', async () => {
  const authority = new Authority()
  const issue = () =>
    authority.issue({
      subject: [['CN', 'localhost']],
      alternatives: [
        ['ip', '127.0.0.1'],
        ['dns', 'localhost'],
      ],
    })
  const { ledger, describe } = openGateWith({ ledgerFile: ':memory:', report: (error) => assert.fail(error as Error) })
  const server = new AdmissionServer({
    ledger,
    approvals: new Approvals({ ledger, describe }),
    kills: new Kills({ ledger, describe, newId: () => '' }),
    chargesOf: () => undefined,
    keyHolderOf: () => undefined,
    status: () => ({ version: '0', revision: null, servers: [], started_at: '', kept_open: 0, files_unread: [] }),
    names: { hosts: new Set(['localhost']), origins: new Set() },
    secure: true,
    tls: issue(),
    log: (sentence) => assert.fail(sentence),
  })
  const port = (await server.listen({ host: '127.0.0.1', port: 0 })) ?? 0
  const serial = () =>
    new Promise<string>((resolve, reject) => {
      request({ host: 'localhost', port, path: '/healthz', ca: authority.cert, agent: false }, (response) => {
        const { serialNumber } = (response.socket as import('node:tls').TLSSocket).getPeerCertificate()
        assert.equal(response.resume().statusCode, 200)
        resolve(serialNumber)
      })
        .on('error', reject)
        .end()
    })
  try {
    const first = await serial()
    server.secure(issue())
    assert.notEqual(await serial(), first)
    await assert.rejects(fetch(`http://127.0.0.1:${port}/healthz`))
  } finally {
    await server.close()
    ledger.close()
  }
})

test('a certificate and its key go together, and belong to the server that is opened', () => {
  const admin = '127.0.0.1:0'
  assert.throws(
    () => admissionOf({ admin, adminTlsCert: 'c.pem' }),
    /`--admin-tls-cert` and `--admin-tls-key` go together/,
  )
  assert.throws(() => admissionOf({ admin, adminTlsKey: 'k.pem' }), /go together/)
  assert.throws(() => admissionOf({ adminTlsCert: 'c.pem', adminTlsKey: 'k.pem' }), /`--admin-tls-cert` says something/)
  assert.deepEqual(admissionOf({ admin, adminTlsCert: 'c.pem', adminTlsKey: 'k.pem' })?.tls?.cert, 'c.pem')
})
