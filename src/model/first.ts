/** What the gate asks of a policy of ordered rules: the first that matches decides. */
import type { Json } from './canonical.ts'
import type { Verdict } from './decision.ts'
import { matchesGlob } from './fnmatch.ts'
import { holdOfOrdered } from './holds.ts'
import type { Target } from './match.ts'
import type { Answer, FirstPolicy, OrderedCondition, OrderedRule } from './ordered.ts'
import type { Plan } from './plan.ts'
import type { Method } from './policy.ts'
import type { ReasonCode } from './reasons.ts'
import { at, type Builder, inOrder, namesOf, newBuilder } from './shape.ts'

export function planOfFirst(policy: FirstPolicy, target: Target): Plan {
  const conditions = rulesFor(policy, target).flatMap((rule) => rule.conditions)
  const shape = newBuilder()
  const known = newBuilder()
  const texts = new Set<string>()
  const words = new Set<string>()
  for (const condition of conditions) {
    if ('name' in condition) at(known, [condition.name])
    if (condition.kind === 'compare') addValue(at(shape, [condition.name]), condition.value)
    if (condition.kind === 'contains') addContained(at(shape, [condition.name]), condition.value)
    if (condition.kind === 'matches') texts.add(condition.name)
    if (condition.kind === 'words') for (const word of condition.words) words.add(word)
  }
  return {
    shape: inOrder(shape),
    names: namesOf(known),
    amounts: [],
    counters: [],
    ...(texts.size > 0 && { texts: [...texts].sort() }),
    ...(words.size > 0 && { words }),
  }
}

/** Not visible: whoever calls it, and with whatever arguments, is refused. */
export function isVisibleInFirst(policy: FirstPolicy, target: Target): boolean {
  if (target.method !== 'tools/call') return false
  for (const { match, effect, conditions } of rulesFor(policy, target)) {
    if (effect !== 'deny') return true
    if (conditions.length === 0 && match.agent === '*') return false
  }
  return policy.otherwise.effect !== 'deny'
}

export function serverNamedInFirst({ rules }: FirstPolicy): string | undefined {
  return rules.find(({ match }) => !/^\*+$/.test(match.target))?.name
}

/** Rules that may match calls of this target. */
function rulesFor({ rules }: FirstPolicy, { method, server, name }: Target): readonly OrderedRule[] {
  if (method !== 'tools/call') return []
  return rules.filter(({ match }) => matchesGlob(match.type, name) && matchesGlob(match.target, server))
}

/** The verdict of a rule, or of what stands for the calls that none matches. */
export function verdictOf({ effect, riskLevel }: Answer, rule?: OrderedRule, hold?: string): Verdict {
  const unlisted = rule === undefined && effect === 'deny'
  const words: Record<Answer['effect'], readonly [ReasonCode, string]> = {
    allow: ['ALLOW', 'the policy allows this call'],
    hold: ['APPROVAL_REQUIRED', 'a person has to approve this call'],
    deny: unlisted
      ? ['TOOL_NOT_ALLOWED', 'this tool is not on the list of what may be used']
      : ['DENIED_BY_RULE', 'this call is not allowed'],
  }
  const [reason_code, message] = words[effect]
  return {
    decision: effect,
    reason_code,
    rule: rule?.name ?? '<default>',
    message,
    risk_level: riskLevel,
    ...(hold !== undefined && { hold }),
  }
}

/** What a rule (or what stands for none) says of a call: a call that is held is allowed once that was approved. */
export interface OrderedVerdicts {
  readonly verdict: Verdict
  readonly approvable?: { readonly hold: string; readonly verdict: Verdict }
}

export function verdictsOf({ id }: Pick<FirstPolicy, 'id'>, answer: Answer, rule?: OrderedRule): OrderedVerdicts {
  if (answer.effect !== 'hold') return { verdict: verdictOf(answer, rule) }
  const hold = holdOfOrdered(id, answer, rule)
  const approved = verdictOf({ ...answer, effect: 'allow' }, rule)
  return { verdict: verdictOf(answer, rule, hold), approvable: { hold, verdict: approved } }
}

/** The verdict when a condition of a rule can be neither met nor ruled out. */
export function unclearVerdict(rule: OrderedRule, condition: OrderedCondition): Verdict {
  const message = 'name' in condition ? unclearArgument(condition) : 'a rule about this call cannot be judged'
  const { name, riskLevel } = rule
  return { decision: 'deny', reason_code: 'ARGUMENT_UNCOMPARABLE', rule: name, message, risk_level: riskLevel }
}

function unclearArgument({ kind, name }: OrderedCondition & { name: string }): string {
  return kind === 'matches'
    ? `argument \`${name}\` must be text in ASCII, to be judged by a pattern`
    : `argument \`${name}\` is of a type that cannot be compared with what the policy says`
}

/** Rules speak of tools alone. */
export function noToolVerdict(method: Exclude<Method, 'tools/call'>): Verdict {
  const [reason_code, kind] =
    method === 'prompts/get'
      ? (['PROMPT_NOT_ALLOWED', 'prompt'] as const)
      : (['RESOURCE_NOT_ALLOWED', 'resource'] as const)
  return {
    decision: 'deny',
    reason_code,
    rule: '<default>',
    message: `this ${kind} is not on the list of what may be used`,
  }
}

/** What has to be read of an argument to say whether it equals a value: other members than its own, too. */
function addValue(place: Builder, value: Json): void {
  place.read = true
  if (value === null || typeof value !== 'object') return
  if (Array.isArray(value)) for (const item of value) addValue(elementsOf(place), item as Json)
  else {
    place.closed = true
    for (const [key, member] of Object.entries(value)) addValue(at(place, [key]), member as Json)
  }
}

/** A text may also be a key of a map, and any value an element of a list. */
function addContained(place: Builder, value: Json): void {
  place.read = true
  if (typeof value === 'string') at(place, [value])
  addValue(elementsOf(place), value)
}

function elementsOf(place: Builder): Builder {
  place.elements ??= newBuilder()
  return place.elements
}
