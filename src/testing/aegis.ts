/**
 * Test suites of Aegis (agent-aegis 1.0.0) as they are, in both of its forms: each test is a case of one call. What Aegis
 * does not read in them is a warning here.
 */
import { readCallObject } from '../model/callObject.ts'
import { riskLevels } from '../model/decision.ts'
import { anyValue } from '../policy/aegis/yaml11.ts'
import { quote, type Report } from '../policy/diagnostics.ts'
import { choice, type Form, flag, type Keys, listOf, mistake, record } from '../policy/forms.ts'
import { anyText, text } from '../policy/scalars.ts'
import type { MapNode, Node } from '../policy/source.ts'
import { hint } from '../policy/spelling.ts'
import { expected } from './caseFile/expectations.ts'
import { type CaseContext, usualStartMs } from './caseFile/shared.ts'
import { attempted, type JsonMap } from './caseFile/words.ts'
import type { Case, Expected, Place } from './suite.ts'

/** As Aegis compares them: in any case. */
function anyCase<const W extends string>(form: Form<W>): Form<W> {
  return {
    ...form,
    read(node, label, report) {
      const isText = node.kind === 'scalar' && typeof node.value === 'string'
      return form.read(isText ? { ...node, value: String(node.value).toLowerCase() } : node, label, report)
    },
  }
}

/** A file of Aegis with a key that it does not read still runs, there and here. */
function loose<K extends Keys>(says: string, keys: K): ReturnType<typeof record<K>> {
  const form = record(says, keys)
  const names = Object.keys(keys)
  return {
    ...form,
    read(node, label, report) {
      if (node.kind !== 'map') return form.read(node, label, report)
      const unread = node.entries.filter(({ key }) => !names.includes(key))
      for (const { key, keyAt } of unread)
        report.warning(keyAt, 'unknown_key', `Aegis does not read ${quote(key)} in ${says}${hint(key, names)}`)
      const entries = node.entries.filter(({ key }) => names.includes(key))
      return form.read({ ...node, entries }, label, report)
    },
  }
}

const params: Form<JsonMap> = {
  says: 'a map of arguments',
  schema: {},
  read(node, label, report) {
    if (node.kind !== 'map') return mistake(node, label, params.says, report)
    return anyValue.read(node, label, report)?.value as JsonMap | undefined
  },
}

const action = loose('an action', {
  type: { form: text, about: 'The tool.', required: 'it is the name of the tool' },
  target: { form: anyText, about: 'The server.' },
  params: { form: params, about: 'The arguments.' },
  agent_id: { form: anyText, about: 'The agent.' },
  description: { form: anyText, about: 'What words are looked for in; here the gate writes it.' },
})

const risk = anyCase(choice('', ...riskLevels))

/** `allow` and `warn` are other words for two of them, in the newer form alone. */
const newer = loose('what is expected', {
  approval: { form: anyCase(choice('auto', 'approve', 'block', 'allow', 'warn')), about: 'What is decided.' },
  risk_level: { form: risk, about: 'How risky it is.' },
})

const test = loose('a test', {
  name: { form: anyText, about: 'What it is called.' },
  description: { form: anyText, about: 'What it is called, in the older form.' },
  action: { form: action, about: 'What is done.', required: 'say what is done' },
  expect: { form: newer, about: 'What is expected.' },
  expected_decision: { form: anyCase(choice('auto', 'approve', 'block')), about: 'The same in the older form.' },
  expected_risk_level: { form: risk, about: 'The same in the older form.' },
  skip: { form: flag, about: 'It is not run.' },
  skip_reason: { form: anyText, about: 'Why.' },
})

const suiteForm = loose('a test suite', {
  suite: { form: anyText, about: 'What it is called.' },
  name: { form: anyText, about: 'The same in the older form.' },
  policy: { form: text, about: 'The policy that it is about.' },
  tests: { form: listOf(test, 'a list of tests', 0), about: 'The tests.', required: 'name the tests' },
})

const decisions = { auto: 'allow', allow: 'allow', approve: 'hold', warn: 'hold', block: 'deny' } as const

export interface ReadAegisSuite {
  /** The file that it names. */
  readonly policy?: string
  readonly cases: readonly Case[]
}

export function isAegisSuite(root: Node): root is MapNode {
  return root.kind === 'map' && root.entries.some(({ key }) => key === 'tests')
}

export function readAegisSuite(root: MapNode, { report }: Pick<CaseContext, 'report'>): ReadAegisSuite | undefined {
  const read = suiteForm.read(root, 'a test suite of Aegis', report)
  if (!read) return undefined
  const { policy, tests } = read.fields
  const cases = (tests?.value ?? []).flatMap(({ value: { fields }, at: { line, col } }, index) =>
    caseOf(fields, { file: report.file, line, col }, index + 1, report),
  )
  return { ...(policy?.value !== undefined && { policy: policy.value }), cases }
}

type TestSaid = NonNullable<ReturnType<typeof test.read>>['fields']

function caseOf(said: TestSaid, at: Place, number: number, report: Report): readonly Case[] {
  const done = said.action?.value?.fields
  if (!done) return []
  const [tool, server, agent] = [done.type?.value, done.target?.value, done.agent_id?.value]
  const call = attempted({ at }, report, () =>
    readCallObject(
      {
        tool: tool ?? '',
        ...(server && { server }),
        arguments: done.params?.value ?? {},
        ...(agent && { principal: { agent } }),
      },
      [],
    ),
  )
  if (!call) return []
  const title = said.name?.value || said.description?.value || [tool, server].filter(Boolean).join('@')
  const skip = said.skip?.value ? { skip: said.skip_reason?.value || 'the suite skips it' } : {}
  const expect = expectedOf(said, report)
  return [
    {
      // Names of Aegis need not differ.
      name: `${number}: ${title}`,
      at,
      ...skip,
      steps: [{ kind: 'call', at, timeMs: usualStartMs, call, times: 1, outcome: 'success', isFact: false, expect }],
    },
  ]
}

/** Without a word of it, Aegis expects that a person is asked. */
function expectedOf({ expect, expected_decision, expected_risk_level, action }: TestSaid, report: Report): Expected[] {
  const { approval, risk_level } = expect?.value?.fields ?? {}
  const decision = expect ? approval : expected_decision
  const level = expect ? risk_level : expected_risk_level
  const otherwise = expect?.at ?? action?.at ?? { line: 1, col: 1 }
  return [
    expected(['decision'], decisions[decision?.value ?? 'approve'], decision?.at ?? otherwise, report),
    ...(level?.value ? [expected(['risk_level'], level.value, level.at, report)] : []),
  ]
}
