/** Limits that can never refuse a call, because another one of the same entry refuses it before. */
import { unitsText } from '../../model/decimal.ts'
import {
  type CalendarUnit,
  type Counter,
  counterId,
  type Limit,
  perText,
  type Window,
  windowText,
} from '../../model/policy.ts'
import type { Report } from '../diagnostics.ts'
import { durationText } from '../durations.ts'
import type { Located } from '../forms.ts'

/** Calendar windows that lie whole within the next ones. A week lies in no month. */
const within: Readonly<Record<CalendarUnit, readonly CalendarUnit[]>> = {
  second: ['minute', 'hour', 'day', 'week', 'month'],
  minute: ['hour', 'day', 'week', 'month'],
  hour: ['day', 'week', 'month'],
  day: ['week', 'month'],
  week: [],
  month: [],
}

export function reportLoose(limits: readonly Located<Limit>[], report: Report): void {
  for (const [index, loose] of limits.entries()) {
    const tighter = limits.find((other, at) => at !== index && binds(other.value, loose.value, at < index))
    if (tighter)
      report.warning(
        loose.at,
        'never_binds',
        `${limitText(loose.value)} never binds: ${limitText(tighter.value)} on line ${tighter.at.line} is reached before`,
      )
  }
}

/** Is the one reached whenever the other is? Of two equal limits the later one is loose. */
function binds(tight: Limit, loose: Limit, earlier: boolean): boolean {
  if (!countsAll(tight.counter, loose.counter)) return false
  if (tight.counter.id === loose.counter.id) return tight.max < loose.max || (tight.max === loose.max && earlier)
  const [inner, outer] = [loose.counter.window, tight.counter.window]
  return (windowText(inner) === windowText(outer) || lies(inner, outer)) && tight.max <= loose.max
}

/** Does the one count at least what the other does? What is kept apart by less counts more. */
function countsAll(tight: Counter, loose: Counter): boolean {
  const what = ({ measure }: Counter) => counterId('', measure, { kind: 'total' }, [])
  const by = new Set(loose.per.map(perText))
  return what(tight) === what(loose) && tight.per.every((field) => by.has(perText(field)))
}

function lies(inner: Window, outer: Window): boolean {
  if (inner.kind === 'total') return false
  if (outer.kind === 'total') return true
  if (inner.kind === 'sliding') return outer.kind === 'sliding' && inner.ms < outer.ms
  return outer.kind === 'fixed' && within[inner.unit].includes(outer.unit)
}

function limitText({ counter, max }: Limit): string {
  const calls = max === 1 ? 'call' : 'calls'
  const much = counter.measure === 'calls' ? `limit of ${max} ${calls}` : `cap of ${unitsText(max)}`
  return `the ${much} ${spanText(counter.window)}`
}

function spanText(window: Window): string {
  switch (window.kind) {
    case 'fixed':
      return `per ${window.unit}`
    case 'sliding':
      return `in any ${durationText(window.ms)}`
    case 'total':
      return 'in total'
  }
  return window satisfies never
}
