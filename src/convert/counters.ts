/** Counters, as the native language names them: by what a rule calls them, or as the counter of an entry's own limits. */
import { unitsText } from '../model/decimal.ts'
import { type Counter, counterId, pathText, perText, type Reading, type Span, type Window } from '../model/policy.ts'
import { durationText } from '../policy/durations.ts'
import { boolean, type Entry, entry, list, type MapOut, map, number, type Out, text, type Word, word } from './yaml.ts'

/** The names of the counters that rules bound or read, in the order in which they are met. */
export class CounterNames {
  readonly #known = new Map<string, Counter>()

  nameOf(counter: Counter): string {
    const name = ownName(counter) ?? counter.id
    if (!this.#known.has(name)) this.#known.set(name, counter)
    return name
  }

  get isEmpty(): boolean {
    return this.#known.size === 0
  }

  out(): MapOut {
    return map([...this.#known].map(([name, counter]) => entry(name, counterOut(counter))))
  }
}

/** Undefined for one that is counted by the limits of an entry. */
export function ownName(counter: Counter): string | undefined {
  const scope = scopeOf(counter)
  return scope.startsWith('state:') ? scope.slice('state:'.length) : undefined
}

export function isOwnOf(counter: Counter, scope: string): boolean {
  return counter.id === counterId(scope, counter.measure, counter.window, counter.per)
}

function scopeOf({ id, measure, window, per }: Counter): string {
  const by = counterId('', measure, window, per)
  const head = by.indexOf('@') + 1
  return id.slice(head, id.length - (by.length - head))
}

function counterOut(counter: Counter): Out {
  const { measure, window, per } = counter
  const amount = measure !== 'calls' && 'amount' in measure ? measure : undefined
  return map([
    ...windowEntries(window),
    measure !== 'calls' && 'step' in measure ? entry('step', number(measure.step)) : undefined,
    amount && entry('amount', text(pathText(amount.amount))),
    amount?.currency && entry('currency', text(pathText(amount.currency))),
    per.length === 0 ? undefined : entry('per', perOut(counter)),
    ownName(counter) === undefined ? entry('of', text(scopeOf(counter))) : undefined,
  ])
}

export function windowEntries(window: Window): readonly Entry[] {
  switch (window.kind) {
    case 'fixed':
      return [entry('window', text(window.unit))]
    case 'sliding':
      return [entry('window', word(durationText(window.ms))), entry('sliding', boolean(true))]
    case 'total':
      return [entry('window', text('total'))]
  }
  return window satisfies never
}

export function perOut({ per }: Counter): Out {
  const [first, ...more] = per.map((field) => text(perText(field)))
  return first && more.length === 0 ? first : list(per.map((field) => text(perText(field))))
}

/** A number in the unit of its counter. */
export function numberOf(value: number, { measure }: Counter): Word {
  if (measure === 'calls' || 'step' in measure) return number(value)
  return word(value < 0 ? `-${unitsText(-value)}` : unitsText(value))
}

export function countedOut(readings: readonly Reading[], names: CounterNames): Out {
  const maps: Entry[][] = []
  for (const { counter, spans } of readings) {
    const name = names.nameOf(counter)
    if (maps.length === 0 || maps.at(-1)?.some(({ key }) => key === name)) maps.push([])
    maps.at(-1)?.push(entry(name, spansOut(spans, counter)))
  }
  const outs = maps.map(map)
  return outs.length === 1 ? (outs[0] as Out) : list(outs)
}

function spansOut(spans: readonly Span[], counter: Counter): Out {
  const [first, ...more] = spans.map((span) => spanOut(span, counter))
  return first && more.length === 0 ? first : list(spans.map((span) => spanOut(span, counter)))
}

function spanOut({ min, max }: Span, counter: Counter): Out {
  if (min !== undefined && min === max) return numberOf(min, counter)
  return map([
    min === undefined ? undefined : entry('min', numberOf(min, counter)),
    max === undefined ? undefined : entry('max', numberOf(max, counter)),
  ])
}
