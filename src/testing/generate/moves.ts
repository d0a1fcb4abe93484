/** What a call of some entries may be changed in on the way to another one: values of its arguments, and who calls. */
import type { Principal } from '../../model/call.ts'
import { type Condition, type Entry, type Path, pathText, type Test } from '../../model/policy.ts'
import type { Moves } from './climb.ts'
import { callersFor } from './names.ts'
import { textsMatching } from './pattern.ts'
import { amountsFor, type Value, valuesFor } from './values.ts'

/** ISO 4217 has it for amounts that are in none: a currency that a policy hardly allows. */
const noCurrency = 'XXX'
export function movesOf(entries: readonly Entry[], somebody: Principal): Moves {
  const rules = entries.flatMap((entry) => entry.rules)
  const values = new Map<string, { readonly path: Path; readonly values: Value[] }>()
  const add = (path: Path, more: readonly Value[]) => {
    const known = values.get(pathText(path)) ?? { path, values: [] }
    values.set(pathText(path), known)
    known.values.push(
      ...more.filter((value) => !known.values.some((one) => JSON.stringify(one) === JSON.stringify(value))),
    )
  }
  // What says more of a value is tried first: a number of some kind may be any, and a range has a bound.
  const isVague = ({ test }: Condition) => ['type', 'present', 'exists'].includes(test.kind)
  const all: readonly Condition[] = rules.flatMap((rule) => rule.conditions)
  const conditions = [...all.filter((one) => !isVague(one)), ...all.filter(isVague)]
  for (const { path, test } of conditions) add(path, valuesFor(test))
  // A text below a folder that another rule looks for, too.
  for (const { path, test } of conditions) add(path, below(test, values.get(pathText(path))?.values ?? []))
  for (const { spend, limits } of rules) {
    const caps = limits.filter(({ counter }) => typeof counter.measure === 'object' && 'amount' in counter.measure)
    if (spend)
      add(
        spend.amount,
        amountsFor([...(spend.perCallMicro === undefined ? [] : [spend.perCallMicro]), ...caps.map(({ max }) => max)]),
      )
    if (spend?.currency) add(spend.currency.path, [...spend.currency.allowed.slice(0, 2), noCurrency, undefined])
    for (const { counter } of limits)
      for (const per of counter.per) if (per.kind === 'argument') add(per.path, ['some', undefined])
  }
  for (const { values: known } of values.values()) if (!known.includes(undefined)) known.push(undefined)
  const callers = [...entries, ...rules].flatMap((one) => callersFor(one.for))
  return { arguments: [...values.values()], principals: [...callers, somebody], timesMs: [] }
}

/** Combinations that are tried of one condition. */
const belowMax = 20

function below(test: Test, values: readonly Value[]): readonly Value[] {
  const [sample] = test.kind === 'pattern' ? textsMatching(test.pattern, true) : []
  const folder = test.kind === 'prefix' ? test.prefix : sample && `${sample}/`
  if (!folder) return []
  const texts = values.filter((value) => typeof value === 'string' && value !== '' && !value.startsWith(folder))
  return texts.slice(0, belowMax).map((text) => `${folder}${text}`)
}
