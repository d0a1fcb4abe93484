/** That the benchmarks run and say what they must say. Not how fast anything is: that belongs to a quiet machine. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Machine, Section } from '../../bench/report.ts'

const run = promisify(execFile)
const here = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))

/** The gate as it stands in `src`, so that nothing has to be built. */
const options = ['--quick', '--gate', `${process.execPath} ${here('src/cli/main.ts')}`]

/** It starts some thirty programs one after the other: quick where they have the machine, and long where it is shared. */
const unhurried = { timeout: 900_000 }

test('every benchmark runs and measures all of its targets', unhurried, async () => {
  const { stdout } = await run(process.execPath, [here('bench/run.ts'), ...options, '--json'])
  const { machine, sections } = JSON.parse(stdout) as { machine: Machine; sections: Section[] }
  assert.equal(machine.node, process.version)
  assert.ok(machine.cores > 0)
  assert.deepEqual(
    sections.map(({ title, targets }) => [title, targets.length]),
    [
      ['Decision', 5],
      ['Policy pack', 5],
      ['Aegis files', 2],
      ['Admit', 2],
      ['Replay', 3],
      ['A call over stdio', 4],
      ['A call over HTTP', 9],
      ['Sessions and connections', 2],
      ['Start', 1],
      ['Memory', 2],
    ],
  )
  for (const { measured, limit } of sections.flatMap(({ targets }) => targets)) {
    assert.ok(Number.isFinite(measured), `${measured} is a number`)
    assert.ok(limit > 0)
  }
  for (const { columns, rows } of sections.flatMap(({ tables }) => tables)) {
    assert.ok(rows.length > 0)
    for (const row of rows) assert.equal(row.length, columns.length)
  }
})

test('one benchmark alone prints Markdown', async () => {
  const { stdout } = await run(process.execPath, [here('bench/run.ts'), ...options, '--only', 'decision'])
  assert.match(stdout, /^\d+ cores \(.*Node v\d+/)
  assert.match(stdout, /^\| what \| must be \| measured \| reached \|$/m)
  assert.match(stdout, /^## Decision$/m)
  assert.doesNotMatch(stdout, /^## Admit$/m)
})

test('the soak finds no wrong decision, and every call in the record', async () => {
  const { stdout } = await run(process.execPath, [here('bench/run.ts'), ...options, '--only', 'soak', '--json'])
  const { sections } = JSON.parse(stdout) as { sections: Section[] }
  const [soak] = sections
  const calls = soak?.tables[0]?.rows.find(([what]) => what === 'calls')?.[1]
  assert.ok(Number(calls) > 100, `${calls} calls`)
  const found = soak?.targets.slice(0, 4).map(({ what, measured }) => [what, measured])
  assert.deepEqual(
    found?.map(([, measured]) => measured),
    [0, 0, 0, 0],
    JSON.stringify(found),
  )
})

test('a benchmark that does not exist is an error', async () => {
  await assert.rejects(
    run(process.execPath, [here('bench/run.ts'), ...options, '--only', 'speed']),
    /no benchmark `speed`/,
  )
})
