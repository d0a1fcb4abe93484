/** Socket files of the operator's doors: nobody else's, from the moment at which they are there. */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { listenAt } from '../../src/admission/sockets.ts'

const folder = mkdtempSync(join(tmpdir(), 'tollgate-sockets-'))
after(() => rmSync(folder, { recursive: true }))

/** Looks at the file as soon as the system has it. */
function looking(path: string): { server: Server; modes: number[] } {
  const server = createServer()
  const modes: number[] = []
  const { listen } = server
  server.listen = ((...args: Parameters<Server['listen']>) => {
    assert.ok(!existsSync(path))
    const listening = listen.apply(server, args)
    modes.push(statSync(path).mode & 0o777)
    return listening
  }) as Server['listen']
  return { server, modes }
}

test('at no time can others connect, whatever the mask of the process lets', async () => {
  const mask = process.umask(0)
  try {
    const path = join(folder, 'own.sock')
    const { server, modes } = looking(path)
    await listenAt(server, { path })
    assert.deepEqual([...modes, statSync(path).mode & 0o777], [0o600, 0o600])
    assert.equal(process.umask(), 0, 'other files come into being as before')
    server.close()
    const taken = join(folder, 'no', 'such', 'folder')
    await assert.rejects(listenAt(createServer(), { path: taken }), { code: 'listen_failed' })
    assert.equal(process.umask(), 0)
  } finally {
    process.umask(mask)
  }
})

test('a file that is no socket stays', async () => {
  const path = join(folder, 'file')
  writeFileSync(path, 'mine')
  await assert.rejects(listenAt(createServer(), { path }), { code: 'listen_failed' })
  assert.ok(statSync(path).isFile())
})
