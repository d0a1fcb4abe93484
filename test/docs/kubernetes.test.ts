/** The example for Kubernetes names commands and options that exist, and volumes that are there. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseAllDocuments } from 'yaml'
import { program } from '../../src/cli/program.ts'
import type { Answer } from '../answer.ts'
import { readPage } from './tables.ts'

const documents = parseAllDocuments(readPage('deploy/kubernetes.yaml'))
const pods: readonly Answer[] = documents.flatMap((document) => {
  assert.deepEqual(document.errors, [])
  const { spec } = document.toJS() as Answer
  return spec.template ? [{ ...spec.template.spec, claims: spec.volumeClaimTemplates ?? [] }] : []
})

test('each container of ours starts a command with options that it has', () => {
  const started = pods
    .flatMap(({ containers }) => containers)
    .filter(({ image }: Answer) => image.startsWith('tollgate:'))
    .map(({ args }: Answer) => {
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
  assert.deepEqual(started, ['serve', 'serve'])
})

test('every volume that is mounted is one of the pod', () => {
  for (const { containers, volumes, claims } of pods) {
    const known = [...volumes.map(({ name }: Answer) => name), ...claims.map(({ metadata }: Answer) => metadata.name)]
    for (const { volumeMounts = [] } of containers)
      for (const { name } of volumeMounts) assert.ok(known.includes(name), name)
  }
})
