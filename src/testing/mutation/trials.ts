/** Cases as mutants meet them. */

import type { Target } from '../../model/match.ts'
import type { Method } from '../../model/policy.ts'
import { playCase } from '../play.ts'
import type { Case, ListStep } from '../suite.ts'
import type { Trial } from './run.ts'

export function trialOf(testCase: Case): Trial {
  return {
    name: testCase.name,
    targets: distinct(testCase.steps.flatMap((step) => targetsOf(step))),
    hasLists: testCase.steps.some(({ kind }) => kind === 'list'),
    passes: (active) => playCase(testCase, active).status === 'passed',
  }
}

function targetsOf(step: Case['steps'][number]): readonly Target[] {
  if (step.kind === 'call') return [step.call]
  if (step.kind !== 'list') return []
  const { server } = step.asked
  return step.names.map((name) => ({ method: methods[step.list], server, name }))
}

const methods: Readonly<Record<ListStep['list'], Method>> = {
  tools: 'tools/call',
  resources: 'resources/read',
  prompts: 'prompts/get',
}

function distinct(targets: readonly Target[]): readonly Target[] {
  const byText = targets.map(
    ({ method, server, name }) => [JSON.stringify([method, server, name]), { method, server, name }] as const,
  )
  return [...new Map(byText).values()]
}
