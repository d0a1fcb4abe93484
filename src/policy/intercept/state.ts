/** `state`: what a rule counts. Counters belong to their tool, and conditions of any tool may read them. */
import { type Counter, counterId, type Measure } from '../../model/policy.ts'
import { literal, quote, type Report, type Spot } from '../diagnostics.ts'
import { type FieldsOf, type Filled, type Form, record } from '../forms.ts'
import { hintedCountersMax } from '../limits.ts'
import { label, text, wholeNumber } from '../scalars.ts'
import { hint } from '../spelling.ts'
import { argumentPath } from './conditions.ts'
import { windowOf, windowWord } from './rates.ts'

const fromArgument: Form<readonly string[]> = {
  says: 'a path like `args.amount`',
  schema: { type: 'string', pattern: '^args\\..' },
  read(node, name, report) {
    const written = text.read(node, name, report)
    if (written === undefined) return undefined
    if (written.startsWith('args.')) return argumentPath(written, node.at, report)
    report.error(node.at, 'wrong_value', `${name} must begin with \`args.\`, got ${literal(written)}`)
    return undefined
  },
}

export const stateKeys = {
  counter: { form: label, about: 'The name of the counter, once in a tool.', required: 'name the counter' },
  window: {
    form: windowWord,
    about: 'How long it counts before it begins again; windows are those of the UTC calendar.',
    required: 'say `minute`, `hour` or `day`',
  },
  increment: { form: wholeNumber(0, 1_000_000_000), about: 'What each call adds; 1 if not given, or 0.' },
  increment_from: { form: fromArgument, about: 'The argument that says what a call adds.' },
} as const

export const stateForm = record('a map with `counter` and `window`', stateKeys)

export type WrittenState = Filled<FieldsOf<typeof stateKeys>>

/** A counter of the file, with the name that conditions call it by. */
export interface Declared {
  readonly counter: Counter
  readonly at: Spot
}

/** By `TOOL.COUNTER`, and `_global.COUNTER` for those of `"*"`. */
export class Counters {
  readonly #declared = new Map<string, Declared>()
  readonly #report: Report
  #hinted = 0

  constructor(report: Report) {
    this.#report = report
  }

  named(name: string): Counter | undefined {
    return this.#declared.get(name)?.counter
  }

  /** What was meant; nothing, once that has been asked often enough of a file that is wrong all over. */
  hintFor(name: string): string {
    if (this.#hinted >= hintedCountersMax) return ''
    this.#hinted++
    return hint(name, this.#declared.keys())
  }

  /** `said` is how a mistake calls it. */
  declare(name: string, counter: Counter, said: string, at: Spot): void {
    const first = this.#declared.get(name)
    if (first) this.#report.error(at, 'contradiction', `${said} stands here twice, first on line ${first.at.line}`)
    else this.#declared.set(name, { counter, at })
  }
}

export function nameOf(tool: string, counter: string): string {
  return `${tool === '*' ? '_global' : tool}.${counter}`
}

/** The counter of a rule's `state`; undefined when it is not all there. */
export function declareState({ fields }: WrittenState, tool: string, counters: Counters, report: Report): void {
  const { counter, window, increment, increment_from: from } = fields
  if (from && increment)
    report.warning(increment.keyAt, 'says_nothing', '`increment` is not used: `increment_from` says what a call adds')
  if (counter?.value === undefined || window?.value === undefined || (from && from.value === undefined)) return
  const measure: Measure = from?.value ? { amount: from.value } : stepOf(increment?.value)
  const name = nameOf(tool, counter.value)
  const unit = windowOf(window.value)
  const id = counterId(`state:${name}`, measure, unit, [])
  counters.declare(name, { id, measure, window: unit, per: [] }, `the counter ${quote(counter.value)}`, counter.at)
}

function stepOf(increment: number | undefined): Measure {
  return increment === undefined || increment <= 1 ? 'calls' : { step: increment }
}
