/**
 * `npm test`: all tests, or the files that are named. What one process compiled, policies and our own code alike, serves
 * the others; it lies in a folder of this run alone, so that a run depends on none before it and leaves nothing.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'

// Many files wait for processes that they start: more of them than there are cores keep all cores busy.
const concurrency = Math.min(12, 3 * availableParallelism())
const options = ['--test', `--test-concurrency=${concurrency}`, '--test-timeout=240000']
const named = process.argv.slice(2)
const files = named.length > 0 ? named : ['test/**/*.test.ts']

const folder = mkdtempSync(join(tmpdir(), 'tollgate-test-'))
const env = { ...process.env, TOLLGATE_CACHE_DIR: join(folder, 'policies'), NODE_COMPILE_CACHE: join(folder, 'code') }

const tests = spawn(process.execPath, [...options, ...files], { stdio: 'inherit', env })
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => tests.kill(signal))
tests.on('close', (code) => {
  rmSync(folder, { recursive: true, force: true })
  process.exitCode = code ?? 1
})
