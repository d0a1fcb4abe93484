/** Coverage and mutation of the example of the page, as the page shows them; and what decides there. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { bundleFiles } from '../../src/bundle/bundled.ts'
import { pack } from '../../src/opa/pack.ts'
import { loadPolicyFiles } from '../../src/runtime/policyFile.ts'
import { Measures } from '../../src/testing/coverage/measures.ts'
import { coverageOf } from '../../src/testing/coverage/report.ts'
import { coverageText } from '../../src/testing/coverage/text.ts'
import { mutateSuites } from '../../src/testing/mutation/suites.ts'
import { mutationText } from '../../src/testing/mutation/text.ts'
import { playSuite } from '../../src/testing/play.ts'
import { referenceOf } from '../../src/testing/reference.ts'
import { jsonReport } from '../../src/testing/report/json.ts'
import { runFile } from '../../src/testing/run.ts'
import type { Suite } from '../../src/testing/suite.ts'

const folder = mkdtempSync(join(tmpdir(), 'tollgate-measures-'))
after(() => rmSync(folder, { recursive: true }))
const page = readFileSync(new URL('../../docs/testing.md', import.meta.url), 'utf8')
const [policy = '', cases = ''] = [...page.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, text = '']) => text)
const file = join(folder, 'refunds_test.yaml')
writeFileSync(join(folder, 'refunds.yaml'), policy)
writeFileSync(file, cases)

const measures = new Measures()
const { result, suite, loaded } = await runFile(file, { watcherOf: measures.watcherOf })
const played = { suite: suite as Suite, cases: result.cases }
const coverage = coverageOf(measures.items)
const mutation = await mutateSuites([played])
const near = (text: string) => text.replaceAll(`${folder}/`, '')

/** What the page shows below a command. */
function shown(command: string): string {
  const [, text = ''] = page.split(`$ tollgate test ${command}\n`)
  return text.slice(0, text.indexOf('```'))
}

test('the page shows what is covered, and what is not noticed', () => {
  assert.ok(
    shown('--coverage').includes(near(coverageText(coverage)).replace(/^ +$/gm, '')),
    near(coverageText(coverage)),
  )
  assert.ok(shown('--mutate').includes(near(mutationText(mutation))), near(mutationText(mutation)))
})

test('the reference evaluator decides each case as the compiled policy does, to the word', () => {
  assert.ok(loaded && result.cases.length > 10)
  const withoutTime = (all: ReturnType<typeof playSuite>) => all.map((one) => ({ ...one, durationMs: 0 }))
  // Against a policy that they were not written for, so that what differs is compared too.
  const wrong = {
    ...played.suite,
    cases: played.suite.cases.map((one) => ({ ...one, steps: one.steps.map(unexpected) })),
  }
  const [compiled, reference] = [loaded.active(), referenceOf(loaded.policy)].map((active) =>
    withoutTime(playSuite(wrong, active)),
  )
  assert.deepEqual(reference, compiled)
  assert.ok((compiled?.filter(({ status }) => status === 'failed').length ?? 0) > 10)
})

/** Expects what no decision has, so that all of what was decided is told. */
function unexpected(step: Suite['cases'][number]['steps'][number]): typeof step {
  if (step.kind !== 'call' || step.isFact) return step
  return { ...step, expect: [{ path: ['decision'], value: 'x', at: step.at }] }
}

test('a policy in a bundle is measured by the files that it was made of', async () => {
  const bundle = join(folder, 'refunds.tar.gz')
  writeFileSync(bundle, pack(bundleFiles(await loadPolicyFiles([join(folder, 'refunds.yaml')]), { version: '0' })))
  const bundled = new Measures()
  const trust = async () => ({ keys: [], threshold: 1, allowUnsigned: true })
  const ran = await runFile(file, { policy: { files: [bundle], trust }, watcherOf: bundled.watcherOf })
  assert.equal(ran.result.trouble, undefined)
  const found = coverageOf(bundled.items)
  assert.deepEqual(found.rules, coverage.rules)
  assert.deepEqual(
    found.files.map((one) => near(one.file)),
    ['refunds.tar.gz/refunds.yaml'],
  )
  assert.deepEqual(found.files[0]?.uncovered, coverage.files[0]?.uncovered)
})

test('a program reads the same', () => {
  const report = JSON.parse(jsonReport({ suites: [result], durationMs: 1, coverage, mutation }))
  assert.deepEqual(report.coverage.rules, coverage.rules)
  assert.equal(report.coverage.files[0].uncovered[0].in_part, false)
  assert.equal(report.mutation.survivors.length, mutation.survivors.length)
  assert.equal(report.mutation.survivors[0].line, mutation.survivors[0]?.place.line)
})
