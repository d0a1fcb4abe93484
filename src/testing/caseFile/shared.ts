/** What calls have in common: said by the file, and otherwise by a case or a call. */
import type { Principal } from '../../model/call.ts'
import { quote, type Report, type Spot } from '../../policy/diagnostics.ts'
import { durationText } from '../../policy/durations.ts'
import type { Field, Named } from '../../policy/forms.ts'
import { hint } from '../../policy/spelling.ts'
import type { Place } from '../suite.ts'
import type { SharedSaid } from './keys.ts'
import type { JsonMap, Moment, Who } from './words.ts'

export interface CaseContext {
  readonly principals: readonly Named<Principal>[]
  /** Reads a file beside the case file; throws when it cannot. */
  readonly beside: (name: string) => Uint8Array
  readonly report: Report
}

export interface Shared {
  readonly server: string
  readonly principal: Principal
  readonly session: string
  readonly run?: JsonMap
}

export const nothingShared: Shared = { server: '', principal: {}, session: '' }

/** The nearer word counts; of a run, attribute by attribute. */
export function sharedOf(fields: SharedSaid, outer: Shared, context: CaseContext): Shared {
  const { server, principal, session, run } = fields
  return {
    server: server?.value ?? outer.server,
    principal: principal ? callerOf(principal, context) : outer.principal,
    session: session?.value ?? outer.session,
    ...((outer.run || run?.value) && { run: { ...outer.run, ...run?.value } }),
  }
}

function callerOf({ value, at }: Field<Who>, context: CaseContext): Principal {
  if (!value) return {}
  return 'principal' in value ? value.principal : (principalNamed(value.name, at, context) ?? {})
}

/** Undefined, and reported, where `principals` has no such name. */
export function principalNamed(name: string, at: Spot, { principals, report }: CaseContext): Principal | undefined {
  const found = principals.find((one) => one.name === name)
  if (found) return found.value
  const known = principals.map((one) => one.name)
  report.error(at, 'wrong_value', `\`principals\` has no ${quote(name)}${hint(name, known)}`)
  return undefined
}

/** A Monday at noon: nothing about a policy is odd then. */
export const usualStartMs = Date.parse('2026-01-05T12:00:00Z')

/** When a case begins. */
export function startOf(time: Field<Moment> | undefined, outerMs: number, report: Report): number {
  if (!time?.value) return outerMs
  return resolved(time.value, time.at, outerMs, report)
}

export function resolved({ kind, ms }: Moment, at: Spot, fromMs: number, report: Report): number {
  if (kind === 'at') return ms
  if (kind === 'after') return fromMs + ms
  report.error(
    at,
    'wrong_value',
    `time does not run backwards: write how much later it is, as \`+${durationText(ms)}\``,
  )
  return fromMs
}

export function placeOf({ line, col }: Spot, { file }: Report): Place {
  return { file, line, col }
}
