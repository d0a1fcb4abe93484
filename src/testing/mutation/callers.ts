/** Changes of whom a rule or an entry is for. */
import { callerFields, callersText } from '../../model/callers.ts'
import type { Callers, CallerTest } from '../../model/policy.ts'
import { type Edit, each, fewer, lacking, within } from './edit.ts'

export function callerEdits<T extends { readonly for?: Callers }>(part: T): readonly Edit<T>[] {
  const { for: callers } = part
  if (!callers) return []
  const said = `for ${callersText(callers)}`
  const fewerOf = [...fewer(callers, (test) => `not for ${callersText([test])}`), ...each(callers, patternEdits)]
  return [
    { to: lacking(part, 'for') as T, change: `${said}; now: for everybody` },
    ...within(fewerOf, (to) => ({ ...part, for: to })),
  ]
}

function patternEdits(test: CallerTest): readonly Edit<CallerTest>[] {
  return callerFields.flatMap((field) =>
    within(
      fewer(test[field] ?? [], ({ text }) => `not for ${field}=${JSON.stringify(text)}`),
      (patterns) => ({ ...test, [field]: patterns }),
    ),
  )
}
