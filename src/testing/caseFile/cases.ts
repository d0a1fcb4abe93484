/** A case of a case file: its facts and its steps, each at its time. */
import type { Call } from '../../model/call.ts'
import { readCallObject } from '../../model/callObject.ts'
import type { Json } from '../../model/canonical.ts'
import { killKinds } from '../../model/kill.ts'
import type { Spot } from '../../policy/diagnostics.ts'
import type { Field } from '../../policy/forms.ts'
import type { AnswerStep, CallStep, Case, KillStep, ListStep, Step } from '../suite.ts'
import type { AnswerSaid, CallSaid, CaseSaid, FactSaid, FileSaid, KillSaid, ListSaid, StepSaid } from './keys.ts'
import { itemsOf } from './listed.ts'
import {
  type CaseContext,
  nothingShared,
  placeOf,
  resolved,
  type Shared,
  sharedOf,
  startOf,
  usualStartMs,
} from './shared.ts'
import { attempted, type Moment } from './words.ts'

/** None, where something of it is wrong: the report knows. */
export function casesOf({ at, fields, misspelt }: CaseSaid, file: FileSaid, context: CaseContext): readonly Case[] {
  const { report } = context
  const shared = sharedOf(fields, sharedOf(file, nothingShared, context), context)
  const startMs = startOf(fields.time, startOf(file.time, usualStartMs, report), report)
  const said = stepsSaid({ at, fields, misspelt }, context)
  const facts = (fields.facts?.value ?? []).flatMap(({ value, at: factAt }) =>
    factOf(value.fields, factAt, startMs, shared, context),
  )
  const steps = inTime(said, startMs, shared, context)
  const isSilent = said.every((step) => !('expect' in step.fields))
  if (isSilent && said.length > 0 && !misspelt)
    report.error(at, 'says_nothing', 'the case expects nothing: say of a call what is expected of it, with `expect`')
  const { name, skip } = fields
  if (name?.value === undefined) return []
  return [
    {
      name: name.value,
      at: placeOf(at, report),
      ...(skip?.value !== undefined && { skip: skip.value }),
      steps: [...facts.toSorted((one, other) => one.timeMs - other.timeMs), ...steps],
    },
  ]
}

/** `calls`, or the one `call` with its `expect`. */
function stepsSaid({ at, fields, misspelt }: CaseSaid, { report }: CaseContext): readonly StepSaid[] {
  const { calls, call, expect } = fields
  if (calls) {
    for (const [key, field] of [['call', call] as const, ['expect', expect] as const])
      if (field)
        report.error(field.keyAt, 'misplaced_key', `\`${key}\` stands beside \`calls\`: put it into one of them`)
    return calls.value?.map(({ value }) => value) ?? []
  }
  if (!call) {
    if (!misspelt) report.error(at, 'missing_key', '`calls` is missing: say what happens, or one `call`')
    return []
  }
  if (!call.value) return []
  if (expect && call.value.fields.expect)
    report.error(expect.keyAt, 'duplicate_key', 'what is expected of the `call` stands in it already')
  return [{ kind: 'call', at: call.at, fields: { ...call.value.fields, ...(expect && { expect }) } }]
}

function factOf(
  fields: FactSaid,
  at: Spot,
  startMs: number,
  shared: Shared,
  context: CaseContext,
): readonly CallStep[] {
  const { report } = context
  const call = callOf(fields, at, shared, context)
  const timeMs = beforeStart(fields.time, startMs, context)
  return call
    ? [
        {
          ...{ kind: 'call', at: placeOf(at, report), timeMs, call, times: fields.times?.value ?? 1 },
          ...{ outcome: 'success', isFact: true, expect: [] },
        },
      ]
    : []
}

function beforeStart(time: Field<Moment> | undefined, startMs: number, { report }: CaseContext): number {
  if (!time?.value) return startMs
  const { kind, ms } = time.value
  const timeMs = kind === 'before' ? startMs - ms : kind === 'at' ? ms : startMs + ms
  if (timeMs > startMs || timeMs < 0)
    report.error(
      time.at,
      'wrong_value',
      'what a case starts from was before it begins: write `-2h`, or a time before it',
    )
  return timeMs
}

/** Each at its time: where a step says nothing, at that of the one before. */
function inTime(said: readonly StepSaid[], startMs: number, shared: Shared, context: CaseContext): readonly Step[] {
  const { report } = context
  let nowMs = startMs
  return said.flatMap((step): readonly Step[] => {
    const { time } = step.fields
    const timeMs = time?.value ? resolved(time.value, time.at, nowMs, report) : nowMs
    if (time && timeMs < nowMs)
      report.error(
        time.at,
        'wrong_value',
        `time does not run backwards, and it is ${new Date(nowMs).toISOString()} already`,
      )
    nowMs = Math.max(nowMs, timeMs)
    return stepOf(step, nowMs, shared, context)
  })
}

function stepOf(step: StepSaid, timeMs: number, shared: Shared, context: CaseContext): readonly Step[] {
  const common = { at: placeOf(step.at, context.report), timeMs }
  switch (step.kind) {
    case 'call':
      return callStep(step.fields, step.at, common, shared, context)
    case 'list':
      return listStep(step.fields, common, shared, context)
    case 'answer':
      return answerStep(step.fields, step.at, common, context)
    case 'kill':
      return killStep(step.fields, step.at, common, context)
  }
  return step satisfies never
}

type Common = Pick<Step, 'at' | 'timeMs'>

function callStep(
  fields: CallSaid,
  at: Spot,
  common: Common,
  shared: Shared,
  context: CaseContext,
): readonly CallStep[] {
  const call = callOf(fields, at, shared, context)
  if (!call) return []
  const { times, outcome, expect } = fields
  return [
    {
      ...{ kind: 'call', ...common, call, isFact: false },
      ...{ times: times?.value ?? 1, outcome: outcome?.value ?? 'success', expect: expect?.value ?? [] },
    },
  ]
}

const callKeys = ['tool', 'resource', 'prompt', 'arguments', 'method'] as const

/** As a line of `eval` is read. */
function callOf(fields: FactSaid, at: Spot, outer: Shared, context: CaseContext): Call | undefined {
  const { principal, ...shared } = sharedOf(fields, outer, context)
  const own = callKeys.flatMap((key) => (fields[key]?.value === undefined ? [] : [[key, fields[key].value] as const]))
  // What is wrong is told already, and what it leaves would be odd by no fault of its own.
  if (callKeys.some((key) => fields[key] && fields[key].value === undefined)) return undefined
  const said = { ...shared, ...Object.fromEntries(own) } as Record<string, Json>
  const call = attempted({ at }, context.report, () => readCallObject(said, []))
  return call && { ...call, principal }
}

function listStep(fields: ListSaid, common: Common, outer: Shared, context: CaseContext): readonly ListStep[] {
  const { list, of, expect } = fields
  const { server, principal, session } = sharedOf(fields, outer, context)
  if (!list?.value || !of?.value) return []
  const listed = itemsOf(list.value, of.value, context)
  return [
    {
      ...{ kind: 'list', ...common, list: list.value, ...listed },
      ...{ asked: { server, principal, session }, expect: expect?.value ?? [] },
    },
  ]
}

function answerStep(
  { approve, reject }: AnswerSaid,
  at: Spot,
  common: Common,
  { report }: CaseContext,
): readonly AnswerStep[] {
  if (approve && reject) report.error(at, 'contradiction', 'a person approves or rejects: keep one')
  if (approve?.value !== undefined) return [{ kind: 'approve', ...common, by: approve.value }]
  return reject?.value === undefined ? [] : [{ kind: 'reject', ...common, by: reject.value }]
}

function killStep({ kill, lift }: KillSaid, at: Spot, common: Common, { report }: CaseContext): readonly KillStep[] {
  if (kill && lift) report.error(at, 'contradiction', 'something is stopped or let go on: keep one')
  const field = kill ?? lift
  const named = killKinds.flatMap((kind) => {
    const name = field?.value?.fields[kind]?.value
    return name === undefined ? [] : [{ kind, name: kind === 'all' ? '' : name }]
  })
  const [target] = named
  if (field?.value && !field.value.misspelt && named.length !== 1)
    report.error(
      field.at,
      'wrong_value',
      'one thing is stopped at a time: `{ session: ID }`, `{ tool: NAME }`, `{ all: "*" }`',
    )
  return target ? [{ kind: kill ? 'kill' : 'lift', ...common, target }] : []
}
