/** Whoever is told to end while it starts ends, and takes the server along: process 1 too, which hears what it listens to. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'tollgate-signals-'))
after(() => rmSync(folder, { recursive: true }))

writeFileSync(join(folder, 'policy.yaml'), 'version: "1"\ndefault: deny\ntools:\n  pay: { rules: [] }\n')
/** Outlives the end of its input, and ends on SIGTERM. */
writeFileSync(
  join(folder, 'server.mjs'),
  "setInterval(() => {}, 1_000); process.stderr.write('server ' + process.pid + '\\n')",
)
/** A disk that takes its time to open the ledger: long after the server has started. */
writeFileSync(
  join(folder, 'slow.mjs'),
  `import fs from 'node:fs'
   import { syncBuiltinESMExports } from 'node:module'
   const { accessSync } = fs
   fs.accessSync = (...args) => {
     process.stderr.write('opening\\n')
     Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 700)
     return accessSync(...args)
   }
   syncBuiltinESMExports()`,
)

/** In a namespace of its own the process is the first, as in a container. */
const asFirst = ['unshare', '--pid', '--fork', '--kill-child']
const firstIsPossible = process.platform === 'linux' && spawnSync('unshare', [...asFirst.slice(1), 'true']).status === 0
const skip = firstIsPossible ? false : 'no process namespaces here: process 1 was not tried'

async function started(
  command: readonly string[],
  told: RegExp,
): Promise<{ gate: ChildProcess; stderr: () => string }> {
  const [file = '', ...args] = command
  const gate = spawn(file, args, { cwd: folder, stdio: 'pipe' })
  let stderr = ''
  gate.stderr.on('data', (chunk) => {
    stderr += chunk
  })
  const deadline = Date.now() + 20_000
  while (!told.test(stderr)) {
    assert.ok(Date.now() < deadline && gate.exitCode === null, stderr)
    await sleep(20)
  }
  return { gate, stderr: () => stderr }
}

const childOf = (pid: number) => Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim())
const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

const node = [process.execPath, '--import', join(folder, 'slow.mjs'), main]
const run = (ledger: string) => [
  ...node,
  ...['run', '-c', 'policy.yaml', '--ledger', join(folder, ledger), '--', process.execPath, 'server.mjs'],
]

test('SIGTERM while the ledger is opened ends the server and the gate', async () => {
  const { gate, stderr } = await started(run('ledger.db'), /opening.*server \d+|server \d+.*opening/s)
  const server = Number(/server (\d+)/.exec(stderr())?.[1])
  const exited = once(gate, 'exit')
  gate.kill('SIGTERM')
  assert.deepEqual(await exited, [143, null], stderr())
  await sleep(200)
  assert.equal(isAlive(server), false)
})

test('process 1 ends on SIGTERM while it opens the ledger', { skip }, async () => {
  const { gate, stderr } = await started([...asFirst, ...run('first.db')], /opening/)
  const exited = once(gate, 'exit')
  process.kill(childOf(gate.pid as number), 'SIGTERM')
  assert.deepEqual(await exited, [143, null], stderr())
})

test('process 1 ends on SIGTERM while it waits for calls', { skip }, async () => {
  const command = [process.execPath, main, 'eval', '-c', 'policy.yaml']
  const gate = spawn(asFirst[0] as string, [...asFirst.slice(1), ...command], { cwd: folder, stdio: 'pipe' })
  const exited = once(gate, 'exit')
  gate.stdin.write('{"tool":"pay"}\n')
  await once(gate.stdout, 'data')
  process.kill(childOf(gate.pid as number), 'SIGTERM')
  assert.deepEqual(await exited, [143, null])
})
