/** Ordered rules of the native language: the first that matches a call decides it. */
import { type RiskLevel, riskLevels } from '../../model/decision.ts'
import type { Answer, FirstPolicy, OrderedRule } from '../../model/ordered.ts'
import type { PolicyHead } from '../../model/policy.ts'
import { reportSize } from '../aegis/reach.ts'
import { quote, type Report } from '../diagnostics.ts'
import { fnmatch } from '../fnmatch.ts'
import { choice, type Field, type FieldsOf, type Filled, type Located, listOf, record } from '../forms.ts'
import { label, text } from '../scalars.ts'
import { whenForm, whenOf } from './when.ts'

export const action = choice('allow', 'deny', 'require_approval')

const effects = { allow: 'allow', deny: 'deny', require_approval: 'hold' } as const

export const orderedRuleKeys = {
  name: { form: label, about: 'What decisions and records call the rule; its place in the file if not given.' },
  tool: { form: fnmatch, about: 'A glob over the names of tools; `*` if not given.' },
  server: { form: fnmatch, about: 'A glob over the names of servers; `*` if not given.' },
  agent: { form: fnmatch, about: 'A glob over the names of agents; `*` if not given.' },
  when: { form: whenForm, about: 'What else must hold of the call; all of it together.' },
  action: {
    form: action,
    about: 'What happens to a call that the rule matches.',
    required: 'say `action: allow`, `action: deny` or `action: require_approval`',
  },
  risk_level: { form: choice(...riskLevels), about: 'The risk of the call; that of the file if not given.' },
  description: { form: text, about: 'For the readers of the file.' },
} as const

export const orderedForm = listOf(
  record('a rule: a map', orderedRuleKeys, { owner: 'an ordered rule' }),
  'a list of rules',
  0,
)

type WrittenRule = Filled<FieldsOf<typeof orderedRuleKeys>>

/** What the file says beside its rules. */
export interface OrderedHead extends PolicyHead {
  readonly default: 'allow' | 'deny' | 'require_approval'
  readonly risk: RiskLevel | undefined
}

export function orderedPolicy(
  written: Field<readonly Located<WrittenRule>[]>,
  { default: otherwise, risk = 'medium', ...head }: OrderedHead,
  report: Report,
): FirstPolicy {
  const rules = (written.value ?? []).map(({ value }, index) => ruleOf(value, index, risk, report))
  if (written.value?.length === 0)
    report.warningOfWhole(written.at, 'says_nothing', 'there are no rules: every call gets what `default` says')
  reportNames(rules, report)
  reportSize(rules, report)
  const answer: Answer = { effect: effects[otherwise], riskLevel: risk }
  return { strategy: 'first', language: 'native', ...head, rules, otherwise: answer }
}

function ruleOf({ fields, at }: WrittenRule, index: number, risk: RiskLevel, report: Report): OrderedRule {
  const { name, tool, server, agent, when } = fields
  return {
    name: name?.value ?? `rules[${index}]`,
    match: { type: tool?.value ?? '*', target: server?.value ?? '*', agent: agent?.value ?? '*' },
    conditions: when?.value ? whenOf(when.value, report) : [],
    effect: effects[fields.action?.value ?? 'deny'],
    riskLevel: fields.risk_level?.value ?? risk,
    place: { file: report.file, line: at.line, col: at.col },
  }
}

function reportNames(rules: readonly OrderedRule[], report: Report): void {
  const known = new Map<string, number>()
  for (const { name, place } of rules) {
    const first = known.get(name)
    if (first === undefined) known.set(name, place.line)
    else
      report.warning(
        place,
        'duplicate_name',
        `two rules are called ${quote(name)}, the first on line ${first}: records cannot tell them apart`,
      )
  }
}
