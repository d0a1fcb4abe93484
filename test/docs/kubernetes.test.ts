/** The examples for Kubernetes name commands, options and volumes that are there; settings and policies in them are right. */
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { parseAllDocuments } from 'yaml'
import { buildPolicy } from '../../src/bundle/build.ts'
import { program } from '../../src/cli/program.ts'
import { readSettings } from '../../src/cli/settingsFile.ts'
import type { Answer } from '../answer.ts'
import { readPage, root } from './tables.ts'

const folder = mkdtempSync(join(tmpdir(), 'tollgate-kubernetes-'))
after(() => rmSync(folder, { recursive: true }))

const objects: readonly Answer[] = readdirSync(new URL('deploy/kubernetes', root)).flatMap((name) =>
  parseAllDocuments(readPage(`deploy/kubernetes/${name}`)).map((document) => {
    assert.deepEqual(document.errors, [])
    return document.toJS()
  }),
)
const pods: readonly Answer[] = objects.flatMap(({ kind, spec }) => {
  const pod = kind === 'Pod' ? spec : spec?.template?.spec
  return pod ? [{ volumes: [], initContainers: [], ...pod, claims: spec.volumeClaimTemplates ?? [] }] : []
})
const containersOf = ({ initContainers, containers }: Answer): readonly Answer[] => [...initContainers, ...containers]

test('each container of ours starts a command with options that it has', () => {
  const started = pods
    .flatMap(containersOf)
    .filter(({ image }) => image.startsWith('tollgate:'))
    .map(({ args }) => {
      let command = program
      for (const word of args) {
        const below = command.commands.find((one) => one.name() === word)
        if (!below) break
        command = below
      }
      const flags = args.filter((word: string) => word.startsWith('--')).map((word: string) => word.split('=', 1)[0])
      for (const flag of flags)
        assert.ok(
          command.options.some(({ long }) => long === flag),
          flag,
        )
      return command.name()
    })
  assert.deepEqual(started, ['serve', 'serve', 'serve'])
})

test('every volume that is mounted is one of the pod', () => {
  for (const pod of pods) {
    const known = [...pod.volumes, ...pod.claims.map(({ metadata }: Answer) => metadata)].map(({ name }) => name)
    for (const { volumeMounts = [] } of containersOf(pod))
      for (const { name } of volumeMounts) assert.ok(known.includes(name), name)
  }
})

test('the settings and the policy in a ConfigMap have no mistake', async () => {
  const texts = Object.fromEntries(
    objects.filter(({ kind }) => kind === 'ConfigMap').flatMap(({ data }) => Object.entries<string>(data)),
  )
  assert.deepEqual(Object.keys(texts), ['gate.yaml', 'policy.yaml'])
  const file = join(folder, 'gate.yaml')
  writeFileSync(file, texts['gate.yaml'] ?? '')
  assert.deepEqual(readSettings(file).mistakes, [])
  await buildPolicy({ name: 'policy.yaml', text: texts['policy.yaml'] ?? '' })
})
