/** `rate_limit: 5/hour`. */
import type { Window } from '../../model/policy.ts'
import { quote, type Report } from '../diagnostics.ts'
import { choice, type Form, mistake } from '../forms.ts'
import type { Node } from '../source.ts'
import { nearest } from '../spelling.ts'

export const windows = ['minute', 'hour', 'day'] as const
export type WindowWord = (typeof windows)[number]

export const windowWord = choice(...windows)

export interface Rate {
  readonly max: number
  readonly window: WindowWord
}

const says = 'a rate like `5/hour`: a whole number of at least 1, and `minute`, `hour` or `day`'

export const rate: Form<Rate> = {
  says,
  schema: { type: 'string', pattern: `^[1-9][0-9]*/(${windows.join('|')})$` },
  read(node, label, report) {
    const [, count = '', unit = ''] = /^([^/]*)\/(.*)$/s.exec(node.kind === 'scalar' ? String(node.value) : '') ?? []
    const max = Number(count)
    const window = windows.find((word) => word === unit)
    if (window && /^[1-9][0-9]*$/.test(count) && Number.isSafeInteger(max)) return { max, window }
    return refused(node, label, count, unit, report)
  },
}

function refused(node: Node, label: string, count: string, unit: string, report: Report): undefined {
  const near = nearest(unit, windows)
  if (near === undefined || near === unit || !/^[1-9][0-9]*$/.test(count)) return mistake(node, label, says, report)
  const suggestion = `${count}/${near}`
  return mistake(node, label, says, report, `, did you mean ${quote(suggestion)}?`, { suggestion })
}

/** Windows are those of the UTC calendar. */
export function windowOf(unit: WindowWord): Window {
  return { kind: 'fixed', unit }
}
