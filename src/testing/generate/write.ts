/** Played cases as the text of a case file, each with who calls, what is called, and what came of it. */
import { stringify } from 'yaml'
import type { Principal } from '../../model/call.ts'
import type { Json } from '../../model/canonical.ts'
import type { Method } from '../../model/policy.ts'
import { instantText } from '../../model/time.ts'
import { durationText } from '../../policy/durations.ts'
import type { PolicyChoice } from '../../runtime/policySet.ts'
import { usualStartMs } from '../caseFile/shared.ts'
import type { JsonMap } from '../caseFile/words.ts'
import type { Attempt } from './climb.ts'
import type { Fact, PlayedCase, PlayedStep } from './play.ts'

export interface Writing {
  /** Paths as they stand in the file. */
  readonly policy: PolicyChoice
  readonly cases: readonly PlayedCase[]
  /** Who calls where a case does not say otherwise. */
  readonly somebody: Principal
  /** Sentences for the head of the file. */
  readonly notes: readonly string[]
}

export function caseFileText({ policy, cases, somebody, notes }: Writing): string {
  const head = { ...policyMembers(policy), principal: somebody as Json }
  const lines = [
    ...notes.map((note) => `# ${oneLine(note)}`),
    ...Object.entries(head).map(([key, value]) => `${key}: ${flow(value)}`),
    '',
    'cases:',
    ...namedApart(cases).flatMap((one) => caseLines(one, somebody)),
  ]
  return `${lines.join('\n')}\n`
}

function policyMembers(policy: PolicyChoice): Readonly<Record<string, Json>> {
  if ('layers' in policy) return { layers: Object.fromEntries(policy.layers.map(({ name, files }) => [name, files])) }
  const [first = '', ...more] = policy.files
  return { policy: more.length === 0 ? first : policy.files }
}

/** Names of cases differ. */
function namedApart(cases: readonly PlayedCase[]): readonly PlayedCase[] {
  const seen = new Map<string, number>()
  return cases.map((one) => {
    const count = (seen.get(one.name) ?? 0) + 1
    seen.set(one.name, count)
    return count === 1 ? one : { ...one, name: `${one.name} (${count})` }
  })
}

function caseLines(
  { name, sketch: { attempt }, facts = [], steps }: PlayedCase,
  somebody: Principal,
): readonly string[] {
  const { principal, timeMs, target, session, run } = attempt
  const call = callMembers(attempt)
  const said: Readonly<Record<string, Json | undefined>> = {
    principal: isSame(principal, somebody) ? undefined : (principal as Json),
    server: target.server || undefined,
    session: session || undefined,
    run,
    time: timeMs === usualStartMs ? undefined : instantText(timeMs),
  }
  const head = [
    `  - name: ${flow(oneLine(name))}`,
    ...Object.entries(said).flatMap(([key, value]) => (value === undefined ? [] : [`    ${key}: ${flow(value)}`])),
    ...(facts.length === 0 ? [] : ['    facts:']),
    ...facts.map((fact) => `      - ${flow(factMembers(fact, attempt))}`),
  ]
  const [first] = steps
  if (steps.length === 1 && first?.kind === 'call' && first.times === 1)
    return [...head, `    call: ${flow(call)}`, `    expect: ${flow(first.expect)}`]
  return [...head, '    calls:', ...steps.map((step) => `      - ${flow(stepMembers(step, call, principal))}`)]
}

function callMembers({ target, arguments: args }: Attempt): JsonMap {
  return { [nouns[target.method]]: target.name, ...(Object.keys(args).length > 0 && { arguments: args }) }
}

/** What it has other than the case. */
function factMembers({ attempt, times }: Fact, of: Attempt): Json {
  const { principal, session = '', run, timeMs, target } = attempt
  return {
    ...callMembers(attempt),
    ...(!isSame(principal, of.principal) && { principal: principal as Json }),
    ...(target.server !== of.target.server && { server: target.server }),
    ...(session !== (of.session ?? '') && { session }),
    ...(run && !isSame(run, of.run) && { run }),
    ...(timeMs !== of.timeMs && { time: instantText(timeMs) }),
    ...(times > 1 && { times }),
  }
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}

const nouns: Readonly<Record<Method, string>> = {
  'tools/call': 'tool',
  'resources/read': 'resource',
  'prompts/get': 'prompt',
}

function stepMembers(step: PlayedStep, call: { readonly [key: string]: Json }, principal: Principal): Json {
  if (step.kind === 'approve') return { approve: step.by }
  const { times, afterMs, user, expect } = step
  return {
    ...call,
    ...(user !== undefined && { principal: { ...principal, user } as Json }),
    ...(times > 1 && { times }),
    ...(afterMs > 0 && { time: `+${durationText(afterMs)}` }),
    expect,
  }
}

/** On one line, quoted so that readers of YAML 1.1 and of YAML 1.2 take it for the same. */
function flow(value: Json): string {
  return stringify(value, { version: '1.1', collectionStyle: 'flow', lineWidth: 0, blockQuote: false }).trimEnd()
}

function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
}
