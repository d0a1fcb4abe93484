/** Random lists, calls and acceptances at two gates of one ledger: each call is let through exactly when it may be. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { buildPolicy } from '../../src/bundle/build.ts'
import { readLedger } from '../../src/cli/auditLedger.ts'
import { proveRecords } from '../../src/cli/auditProof.ts'
import { describeWith } from '../../src/log/describe.ts'
import { definitionOf } from '../../src/model/pinning.ts'
import { Tools } from '../../src/pep/tools.ts'
import { openGateWith } from '../../src/runtime/open.ts'
import { activePolicy } from '../../src/runtime/policyFile.ts'
import { fc } from '../random.ts'

const names = ['a', 'b', 'c'] as const
const artifacts = {
  first_use: await compiled('first_use'),
  strict: await compiled('strict'),
}

function compiled(mode: string) {
  return buildPolicy({ name: 'p.yaml', text: `version: "1"\npinning: ${mode}\ndefault: allow\ntools: { a: {} }\n` })
}

type Step =
  | { readonly kind: 'list'; readonly gate: number; readonly last: boolean; readonly says: readonly (number | null)[] }
  | { readonly kind: 'call'; readonly gate: number; readonly name: number }
  | {
      readonly kind: 'accept'
      readonly gate: number
      readonly name: number
      readonly also: boolean
      readonly which: number
    }

const gate = fc.nat({ max: 1 })
const name = fc.nat({ max: names.length - 1 })
const definition = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat({ max: 2 }) })
const says = fc.tuple(...names.map(() => fc.option(definition, { freq: 4 })))
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('list' as const), gate, last: fc.boolean(), says }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('call' as const), gate, name }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('accept' as const),
      gate,
      name,
      also: fc.boolean(),
      which: fc.nat({ max: 2 }),
    }),
  },
)

/** What a reader of `docs/tools.md` would expect, in the simplest words. */
class Expected {
  readonly accepted = names.map(() => new Set<number>())
  readonly waiting = names.map(() => new Set<number>())
  whole = false
  readonly isFirstUse: boolean

  constructor(isFirstUse: boolean) {
    this.isFirstUse = isFirstUse
  }

  list(says: readonly (number | null)[], last: boolean): readonly boolean[] {
    says.forEach((definition, tool) => {
      const [accepted, waiting] = this.of(tool)
      if (definition === null || accepted.has(definition)) return
      const isNew = accepted.size + waiting.size === 0
      if (isNew && this.isFirstUse && !this.whole) accepted.add(definition)
      else waiting.add(definition)
    })
    this.whole ||= last
    return says.flatMap((definition, tool) =>
      definition === null ? [] : [this.of(tool)[0].has(definition) && this.may(tool)],
    )
  }

  may(tool: number): boolean {
    const [accepted, waiting] = this.of(tool)
    return accepted.size > 0 && waiting.size === 0
  }

  /** `which` counts where there is a choice. */
  accept(tool: number, also: boolean, which: number): boolean {
    const [accepted, waiting] = this.of(tool)
    if (waiting.size === 0 || (waiting.size > 1 && !waiting.has(which) && !accepted.has(which))) return false
    const chosen = waiting.size > 1 ? which : ([...waiting][0] as number)
    if (!also) {
      accepted.clear()
      waiting.clear()
    }
    accepted.add(chosen)
    waiting.delete(chosen)
    return true
  }

  of(tool: number): readonly [Set<number>, Set<number>] {
    return [this.accepted[tool] as Set<number>, this.waiting[tool] as Set<number>]
  }
}

const reached = { shown: 0, hidden: 0, allowed: 0, refused: 0, accepted: 0 }

for (const mode of ['first_use', 'strict'] as const)
  test(`under ${mode} lists show, and calls reach, exactly what was accepted, and the record proves it`, () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 40, maxLength: 80 }), (steps) => run(mode, steps)),
      { numRuns: 30 },
    )
  })

test('every kind of answer was reached often', () => {
  for (const [kind, count] of Object.entries(reached)) assert.ok(count >= 100, `${kind}: ${count}`)
})

function run(mode: keyof typeof artifacts, steps: readonly Step[]): void {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-pins-'))
  const file = join(folder, 'ledger.db')
  const open = () => openGateWith({ ledgerFile: file, report: (error) => assert.fail(error as Error) })
  const gates = [open(), open()]
  try {
    for (const { gate } of gates) gate.activate(activePolicy(artifacts[mode]))
    const expected = new Expected(mode === 'first_use')
    for (const step of steps) take(step, gates[step.gate] as (typeof gates)[0], expected)
    assert.deepEqual(readLedger(file, (source) => proveRecords(source)).findings, [])
  } finally {
    for (const { ledger } of gates) ledger.close()
    rmSync(folder, { recursive: true })
  }
}

function take(step: Step, { gate, ledger }: ReturnType<typeof openGateWith>, expected: Expected): void {
  const about = { server: 's', principal: {}, session: 's' }
  switch (step.kind) {
    case 'list': {
      const tools = step.says.flatMap((definition, tool) =>
        definition === null ? [] : [{ name: names[tool], description: `says ${definition}` }],
      )
      const shown = gate.listed({ ...about, tools, isLast: step.last })
      assert.deepEqual(shown, expected.list(step.says, step.last))
      for (const one of shown ?? []) reached[one ? 'shown' : 'hidden']++
      return
    }
    case 'call': {
      const call = { ...about, method: 'tools/call', name: names[step.name] as string, arguments: {} } as const
      const [decision] = gate.admit([call])
      assert.equal(decision?.decision, expected.may(step.name) ? 'allow' : 'deny')
      reached[decision?.decision === 'allow' ? 'allowed' : 'refused']++
      return
    }
    case 'accept': {
      const tools = new Tools({ ledger, describe: describeWith({ id: 'person', version: '0' }, 'full') })
      const by = { name: 'ada', known_by: 'os_user', os_user: 'ada' } as const
      const { name, also, which } = step
      const tool = names[name] as string
      const sha256 = definitionOf({ name: tool, description: `says ${which}` })?.sha256 ?? ''
      const digest = expected.of(name)[1].size > 1 ? { digest: sha256 } : {}
      const accept = () => tools.accept({ server: 's', tools: [tool], also, ...digest }, { by })
      if (expected.accept(name, also, which)) reached.accepted += accept().length
      else assert.throws(accept, { name: 'TollgateError' })
      return
    }
  }
  step satisfies never
}
