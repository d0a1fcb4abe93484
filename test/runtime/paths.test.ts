import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cacheFolder } from '../../src/compile/folder.ts'
import { defaultLedgerFile } from '../../src/runtime/paths.ts'

const ledgerAt = (platform: NodeJS.Platform, env: Record<string, string> = {}) =>
  defaultLedgerFile({ platform, env, home: '/home/a' })
const cacheAt = (platform: NodeJS.Platform, env: Record<string, string> = {}) =>
  cacheFolder({ platform, env, home: '/home/a' })

test('the ledger is where each system keeps what must survive', () => {
  assert.equal(ledgerAt('linux'), '/home/a/.local/state/tollgate/ledger.db')
  assert.equal(ledgerAt('linux', { XDG_STATE_HOME: '/x/' }), '/x/tollgate/ledger.db')
  assert.equal(ledgerAt('darwin'), '/home/a/Library/Application Support/tollgate/ledger.db')
  assert.match(ledgerAt('win32', { LOCALAPPDATA: 'C:\\Local' }), /^C:\\Local\\tollgate.ledger\.db$/)
  assert.equal(ledgerAt('linux', { TOLLGATE_LEDGER: 'here.db', XDG_STATE_HOME: '/x' }), 'here.db')
})

test('a relative folder is ignored for state and cache alike: it would be another one in every folder', () => {
  for (const relative of ['state', './x', '~/x', '']) {
    for (const platform of ['linux', 'darwin'] as const) {
      assert.equal(ledgerAt(platform, { XDG_STATE_HOME: relative }), ledgerAt(platform))
      assert.equal(cacheAt(platform, { XDG_CACHE_HOME: relative }), cacheAt(platform))
    }
  }
})

test('an absolute folder is taken on every system that has such paths, for state and cache alike', () => {
  for (const platform of ['linux', 'darwin'] as const) {
    assert.equal(ledgerAt(platform, { XDG_STATE_HOME: '/s' }), '/s/tollgate/ledger.db')
    assert.equal(cacheAt(platform, { XDG_CACHE_HOME: '/c' }), '/c/tollgate')
  }
})
