/** How a server is started where the system does not start scripts. Windows itself cannot be had here: its way is called as such. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { starterFor } from '../../src/mcp/starter.ts'

test('elsewhere than on Windows nothing is waited for', () => {
  for (const platform of ['linux', 'darwin', 'freebsd'] as const) assert.equal(starterFor(platform), undefined)
})

test('what starts servers on Windows gives arguments as they are, and tells of a command that is not there', async () => {
  const start = await starterFor('win32')
  assert.ok(start)
  const args = ['a b', '"', '%PATH%', '']
  const child = start(process.execPath, ['-p', 'JSON.stringify(process.argv.slice(1))', '--', ...args], {
    stdio: 'pipe',
  })
  let text = ''
  child.stdout?.on('data', (chunk) => {
    text += chunk
  })
  await once(child, 'close')
  assert.deepEqual(JSON.parse(text), args)
  const [error] = await once(start('no-such-command', [], { stdio: 'pipe' }), 'error')
  assert.equal(error.code, 'ENOENT')
})
