/** What a case expects: of a call, in the words of a line that `eval` prints, and of a list. */
import type { Json } from '../../model/canonical.ts'
import { riskLevels } from '../../model/decision.ts'
import { nameCharsMax } from '../../model/limits.ts'
import { variants } from '../../model/pack/words.ts'
import { instantOf } from '../../model/time.ts'
import type { Report, Spot } from '../../policy/diagnostics.ts'
import { choice, type Field, type Form, type Keys, listOf, mapOf, mistake, record } from '../../policy/forms.ts'
import { anyText, label, number, wholeNumber } from '../../policy/scalars.ts'
import type { Expected } from '../suite.ts'
import { orNull } from './words.ts'

export const decisions = ['allow', 'deny', 'hold', 'kill'] as const

const decision = choice(...decisions)

const layerKeys = {
  decision: { form: decision, about: 'What is decided.' },
  reason_code: { form: label, about: 'Why, as a code.' },
  rule: { form: label, about: 'The rule that decides, or the entry that allows, or `default`.' },
  risk_level: { form: orNull(choice(...riskLevels)), about: 'How risky it is; `null`: nothing is said of it.' },
} as const

const instant: Form<string> = {
  says: 'a time like `2026-03-02T09:30:00.000Z`',
  schema: { type: 'string' },
  read(node, name, report) {
    const at = node.kind === 'scalar' && typeof node.value === 'string' ? instantOf(node.value) : undefined
    return at === undefined ? mistake(node, name, instant.says, report) : new Date(at).toISOString()
  },
}

const approvalKeys = {
  expires_at: { form: instant, about: 'Until when a person may answer.' },
  wait_ms: { form: orNull(wholeNumber(0)), about: 'How long the call is kept open for the answer.' },
} as const

/** Nothing reserved is the same as no word of it. */
const reserved: Form<Json> = {
  says: 'a map from counters to what is taken from them',
  schema: { type: 'object', additionalProperties: number.schema },
  read(node, name, report) {
    const read = mapOf(number, reserved.says).read(node, name, report)
    if (!read || read.length === 0) return read && null
    return Object.fromEntries(read.map((counter) => [counter.name, counter.value]))
  },
}

const callKeys = {
  ...layerKeys,
  message: { form: anyText, about: 'What the caller is told, to the letter.' },
  variant: { form: orNull(choice(...variants)), about: "A policy pack's own word for the decision." },
  retry_after_ms: { form: orNull(wholeNumber(0)), about: 'After how long the call would have room.' },
  approval: {
    form: orNull(expectation('what is asked of a person', approvalKeys)),
    about: 'The request to a person; `null`: there is none.',
  },
  reserved: {
    form: reserved,
    about: 'What the call takes from which counter, as calls or units; all of it. `{}`: nothing.',
  },
  layers: {
    form: mapOf(decidedAs('what a layer decides', layerKeys), 'a map from layers to what they decide', 1),
    about: 'What layers decide, each on its own.',
  },
} as const

/** Of a call: its decision, or more. */
export const ofCall = decidedAs('what is expected of a call', callKeys)

const names = listOf(label, 'a list of names', 0)

/** Of a list: what it shows. */
export const ofList = expectation('what a list shows', {
  shows: {
    form: { ...names, read: (node, name, report) => names.read(node, name, report)?.map(({ value }) => value) },
    about: `What the caller sees of the list, in its order; names have up to ${nameCharsMax} characters.`,
  } satisfies { form: Form<Json>; about: string },
})

/** A decision alone, or a map. */
function decidedAs(says: string, keys: Keys): Form<readonly Expected[]> {
  const map = expectation(says, keys)
  const both = `${decision.says}, or a map of ${says}`
  return {
    says: both,
    schema: { anyOf: [decision.schema, map.schema] },
    read(node, name, report) {
      if (node.kind === 'map') return map.read(node, name, report)
      if (node.kind === 'list') return mistake(node, name, both, report)
      const word = decision.read(node, name, report)
      return word && [expected(['decision'], word, node.at, report)]
    },
  }
}

function expectation(says: string, keys: Keys): Form<readonly Expected[]> {
  const map = record(says, keys, { owner: `\`expect\`` })
  return {
    says: `a map of ${says}`,
    schema: map.schema,
    read(node, name, report) {
      const read = map.read(node, name, report)
      if (!read) return undefined
      const fields = Object.entries(read.fields) as readonly (readonly [string, Field<unknown>])[]
      if (fields.length === 0 && !read.misspelt)
        report.error(node.at, 'says_nothing', `${name} expects nothing: say what, or take it away`)
      return fields.flatMap(([key, field]) => membersOf(key, field, report))
    },
  }
}

/** What holds more than one thing is expected member by member, each at its place. */
function membersOf(key: string, { value, at }: Field<unknown>, report: Report): readonly Expected[] {
  if (value === undefined) return []
  if (key === 'layers') {
    const layers = value as readonly { name: string; value: readonly Expected[] }[]
    return layers.flatMap((layer) => layer.value.map((one) => within([key, layer.name], one)))
  }
  if (key === 'approval' && value !== null) return (value as readonly Expected[]).map((one) => within([key], one))
  return [expected([key], value as Json, at, report)]
}

function within(path: readonly string[], one: Expected): Expected {
  return { ...one, path: [...path, ...one.path] }
}

export function expected(path: readonly string[], value: Json, { line, col }: Spot, { file }: Report): Expected {
  return { path, value, at: { file, line, col } }
}
