/** The ready bundles: each fits its server, its cases pass, cover every rule, and notice nearly every change of one. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { suite, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Report } from '../../src/policy/diagnostics.ts'
import { parseInto } from '../../src/policy/parse.ts'
import { reportMissing } from '../../src/scan/missing.ts'
import { measuring } from '../../src/testing/coverage/measure.ts'
import { coverageOf } from '../../src/testing/coverage/report.ts'
import { mutationOf, tryMutants } from '../../src/testing/mutation/run.ts'
import { trialOf } from '../../src/testing/mutation/trials.ts'
import { runFile } from '../../src/testing/run.ts'
import { writtenSet } from '../../src/testing/written.ts'

const folder = fileURLToPath(new URL('../../bundles', import.meta.url))
const names = readdirSync(folder, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? entry.name : []))
const scoreMin = 0.9

test('the page of the bundles names each of them, with its package and its page', () => {
  const page = readFileSync(`${folder}/README.md`, 'utf8')
  for (const name of names) {
    const { package: server, version } = JSON.parse(readFileSync(`${folder}/${name}/tools.json`, 'utf8'))
    assert.ok(page.includes(`| [${name}](${name}/README.md) | \`${server}\` |`), name)
    assert.ok(readFileSync(`${folder}/${name}/README.md`, 'utf8').includes(`tools as of ${version}`), name)
  }
  assert.ok(names.length >= 6)
})

suite('a ready bundle', { concurrency: 2 }, () => {
  for (const name of names) {
    test(`${name}: its policy has no warning, and names nothing that the server lacks`, () => {
      const report = new Report('policy.yaml')
      const { policy } = parseInto(report, readFileSync(`${folder}/${name}/policy.yaml`, 'utf8'))
      const { tools } = JSON.parse(readFileSync(`${folder}/${name}/tools.json`, 'utf8'))
      const lists = { server: {}, tools, resources: [], resourceTemplates: [], prompts: [], unfinished: [] }
      if (policy) reportMissing(policy, lists, undefined, report)
      assert.deepEqual(report.diagnostics(), [])
    })

    test(`${name}: its cases pass, cover every rule, and notice nine of ten changes`, async () => {
      const set = await writtenSet({ files: [`${folder}/${name}/policy.yaml`] })
      const measured = measuring(set)
      const { result, suite } = await runFile(`${folder}/${name}/policy_test.yaml`, {
        watcherOf:
          () =>
          ({ input }) => {
            if (input !== undefined) measured.saw(input)
          },
      })
      const { trouble, warnings, cases } = result
      const failed = cases.filter(({ status }) => status !== 'passed')
      assert.deepEqual({ trouble, warnings, failed }, { trouble: undefined, warnings: undefined, failed: [] })
      assert.deepEqual(
        coverageOf(measured.items).files.flatMap(({ uncovered }) => uncovered),
        [],
      )
      const { score, survivors } = mutationOf([tryMutants(set, (suite?.cases ?? []).map(trialOf))])
      const unnoticed = survivors.map(({ place, change }) => `${relative(folder, place.file)}:${place.line}: ${change}`)
      assert.ok(score >= scoreMin, `${score}\n${unnoticed.join('\n')}`)
    })
  }
})
