/**
 * The decision rule of one package of ordered rules: an else-chain in their order. A rule that has conditions is two
 * links: one for when they are met, and one that refuses the call when they can be neither met nor ruled out.
 */
import type { Verdict } from '../model/decision.ts'
import { type OrderedVerdicts, unclearVerdict, verdictsOf } from '../model/first.ts'
import type { FirstPolicy, OrderedCondition, OrderedRule, TextPattern } from '../model/ordered.ts'
import { placeText } from './chain.ts'
import { type Body, containment, equality, ordered } from './comparisons.ts'
import { approvedBody } from './conditions.ts'
import { comment, ref, term } from './quote.ts'
import { Rules } from './rules.ts'

/** A rule that can match, and the expressions that say when it does, apart from its conditions. */
export interface OrderedCandidate {
  readonly rule: OrderedRule
  /** Of the tool's name, for where that is not known beforehand. */
  readonly type: Body
  readonly when: Body
}

interface Link {
  readonly verdict: Verdict
  /** None: always, so it is the last. */
  readonly when: Body
}

/** The text below the package line: the decision, then what it stands on. */
export function orderedText(policy: FirstPolicy, candidates: readonly OrderedCandidate[]): string {
  const rules = new Rules()
  const all = [
    ...candidates.flatMap((candidate) => linksOf(policy, candidate, rules)),
    ...saying(verdictsOf(policy, policy.otherwise), []),
  ]
  const links = all.slice(0, all.findIndex(({ when }) => when.length === 0) + 1)
  return `${chainText(links)}\n${rules.text}\n`
}

/** The compiler takes the square of a chain in time: a thousand links in one are ten seconds, in pieces of these two. */
const linksMax = 50

function chainText(links: readonly Link[]): string {
  const said = links.map(({ verdict, when }) => ({ value: term(verdict as never), when }))
  if (links.length <= linksMax) return elseChain('decision', said)
  const pieces = Array.from({ length: Math.ceil(said.length / linksMax) }, (_, index) =>
    said.slice(index * linksMax, (index + 1) * linksMax),
  )
  const inTurn = pieces.map((_, index) => ({ value: 'verdict', when: [`verdict := links_${index}`] }))
  const texts = pieces.map((piece, index) => elseChain(`links_${index}`, piece))
  return [elseChain('decision', inTurn), ...texts].join('\n\n')
}

function elseChain(name: string, links: readonly { readonly value: string; readonly when: Body }[]): string {
  const texts = links.map(({ value, when }, index) => {
    const body = when.length === 0 ? '' : ` if {\n${when.map((line) => `\t${line}`).join('\n')}\n}`
    return `${index === 0 ? name : 'else'} := ${value}${body}`
  })
  return texts.join('\n\n')
}

function linksOf(policy: FirstPolicy, { rule, when }: OrderedCandidate, rules: Rules): readonly Link[] {
  const met: string[] = []
  const unclear: Link[] = []
  for (const condition of rule.conditions) {
    const { holds, fails } = proofsOf(condition, rules)
    const about = comment(`${JSON.stringify(rule.name)} (${placeText(rule.place)}): ${sentence(condition)}`)
    const plain = fails === 'else' ? plainBody(holds) : undefined
    if (plain) {
      met.push(about, ...plain)
      continue
    }
    const held = rules.add([], holds, about)
    if (fails !== 'else') {
      const neither = [...when, ...met, `not ${held}`, `not ${rules.add([], fails)}`]
      unclear.push({ verdict: unclearVerdict(rule, condition), when: neither })
    }
    met.push(held)
  }
  return [...saying(verdictsOf(policy, rule, rule), [...when, ...met]), ...unclear]
}

/** What needs no rule of its own: one alternative, without names that could stand in the link twice. */
function plainBody(holds: readonly Body[]): Body | undefined {
  const [only, ...others] = holds
  return only && others.length === 0 && !only.some((line) => /:=|\bsome\b/.test(line)) ? only : undefined
}

/** What is held goes on once it was approved. */
function saying({ verdict, approvable }: OrderedVerdicts, when: Body): readonly Link[] {
  const approved = approvable && { verdict: approvable.verdict, when: [...when, approvedBody(approvable.hold)] }
  return [...(approved ? [approved] : []), { verdict, when }]
}

/** Alternatives that prove a condition, and that prove it to fail; `else`: it fails wherever it does not hold. */
interface Proofs {
  readonly holds: readonly Body[]
  readonly fails: readonly Body[] | 'else'
}

function proofsOf(condition: OrderedCondition, rules: Rules): Proofs {
  switch (condition.kind) {
    case 'after':
    case 'before': {
      const clock = ['data.tollgate.calendar.is_time(input.time)']
      const [holds, fails] = condition.kind === 'after' ? ['>=', '<'] : ['<', '>=']
      const compared = (by: string) => [
        ...clock,
        `substring(input.time, 11, 5) ${by} ${term(clockText(condition.minute))}`,
      ]
      return { holds: [compared(holds as string)], fails: [compared(fails as string)] }
    }
    case 'weekdays': {
      const day = 'day := data.tollgate.calendar.weekday(input.time)'
      const days = `{${condition.days.join(', ')}}`
      return { holds: [[day, `day in ${days}`]], fails: [[day, `not day in ${days}`]] }
    }
    case 'words':
      return { holds: condition.words.map((word) => [ref('input.words', [word])]), fails: 'else' }
    case 'matches':
      return matchProofs(condition.name, condition.pattern)
    case 'compare':
    case 'contains':
      return argumentProofs(condition, rules)
  }
  return condition satisfies never
}

function matchProofs(name: string, { ascii, wide }: TextPattern): Proofs {
  const text = ref('input.texts', [name])
  const match = (pattern: string) => `regex.match(${term(pattern)}, ${text})`
  if (wide === ascii) return { holds: [[match(ascii)]], fails: 'else' }
  if (wide !== undefined)
    return { holds: [[`data.tollgate.lib.matches(${term(ascii)}, ${term(wide)}, ${text})`]], fails: 'else' }
  const isWide = match('[^\\x00-\\x7f]')
  const plain = (is: boolean) => [`not ${isWide}`, `${match(ascii)} == ${is}`]
  return { holds: [[text, ...plain(true)]], fails: [missing('input.texts', name), [text, ...plain(false)]] }
}

function argumentProofs(condition: OrderedCondition & { kind: 'compare' | 'contains' }, rules: Rules): Proofs {
  const { name, value } = condition
  const subject = ref('input.arguments', [name])
  if (condition.kind === 'compare' && condition.by === 'eq')
    return { holds: value === null ? [] : [equality(subject, value)], fails: 'else' }
  const { holds, fails } =
    condition.kind === 'contains'
      ? containment(subject, value, rules)
      : ordered(subject, condition.by as never, value, rules)
  return { holds, fails: [missing('input.arguments', name), ...fails] }
}

/** Not given, or null. */
function missing(root: string, name: string): Body {
  return [`is_null(object.get(${root}, ${term(name)}, null))`]
}

function clockText(minute: number): string {
  return `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`
}

function sentence(condition: OrderedCondition): string {
  switch (condition.kind) {
    case 'after':
    case 'before':
      return `${condition.kind} ${clockText(condition.minute)} UTC`
    case 'weekdays':
      return `on the weekdays ${condition.days.join(', ')}`
    case 'words':
      return `with one of the words ${condition.words.join(', ')}`
    case 'matches':
      return `${condition.name} matches ${condition.pattern.written}`
    case 'compare':
      return `${condition.name} ${condition.by} ${JSON.stringify(condition.value)}`
    case 'contains':
      return `${condition.name} contains ${JSON.stringify(condition.value)}`
  }
  return condition satisfies never
}
