/** A rule of an Aegis file, as a rule of the model. */
import { type RiskLevel, riskLevels } from '../../model/decision.ts'
import type { Answer, OrderedRule } from '../../model/ordered.ts'
import type { Report, Spot } from '../diagnostics.ts'
import { fnmatch } from '../fnmatch.ts'
import { choice, type FieldsOf, type Filled, type Form, misspelt, mistake, record } from '../forms.ts'
import { labelCharsMax } from '../limits.ts'
import { conditionsForm, conditionsOf } from './conditions.ts'
import { textInBoth } from './yaml11.ts'

export const approval = choice('auto', 'approve', 'block')

export const effects: Readonly<Record<'auto' | 'approve' | 'block', Answer['effect']>> = {
  auto: 'allow',
  approve: 'hold',
  block: 'deny',
}

/** A level, in any letter case. */
export const riskLevel: Form<RiskLevel> = {
  ...choice(...riskLevels),
  read(node, label, report) {
    const said = node.kind === 'scalar' && typeof node.value === 'string' ? node.value.toLowerCase() : undefined
    return riskLevels.find((level) => level === said) ?? misspelt(node, label, riskLevel.says, report, riskLevels)
  },
}

/** Nothing at all is as good as no key; the value is boxed for that. */
export function orNothing<T>(form: Form<T>): Form<{ readonly value: T | undefined }> {
  return {
    says: form.says,
    schema: { anyOf: [form.schema, { type: 'null' }] },
    read(node, label, report) {
      if (node.kind === 'scalar' && node.value === null) return { value: undefined }
      const value = form.read(node, label, report)
      return value === undefined ? undefined : { value }
    },
  }
}

const glob = textInBoth(fnmatch)

/** Empty is a name too: the rule is then called by its globs. */
const ruleName: Form<string> = textInBoth({
  says: 'text',
  schema: { type: 'string', maxLength: labelCharsMax },
  read(node, label, report) {
    if (node.kind === 'scalar' && node.value === null) return ''
    if (node.kind !== 'scalar' || typeof node.value !== 'string') return mistake(node, label, 'text', report)
    if (node.value.length <= labelCharsMax && !/\p{Cc}/u.test(node.value)) return node.value
    return mistake(node, label, `one line of at most ${labelCharsMax} characters`, report)
  },
})

export const matchKeys = {
  type: { form: glob, about: 'A glob over the names of tools; `*` if not given.' },
  target: { form: glob, about: 'A glob over the names of servers; `*` if not given.' },
  agent: { form: glob, about: 'A glob over the names of agents; `*` if not given.' },
} as const

export const aegisRuleKeys = {
  name: {
    form: ruleName,
    about: 'What decisions and records call the rule; `rule_0`, `rule_1` by its place if not given.',
  },
  match: {
    form: record('a map with `type`, `target` and `agent`', matchKeys, { owner: '`match`' }),
    about: 'Which calls the rule is about; all of them if not given.',
  },
  conditions: { form: conditionsForm, about: 'What else must hold of the call; all of it together.' },
  risk_level: { form: riskLevel, about: 'The risk of the call; `medium` if not given.' },
  approval: {
    form: approval,
    about: '`auto` lets the call through, `approve` asks a person, `block` refuses it; `approve` if not given.',
  },
} as const

export const ruleForm = record('a rule: a map', aegisRuleKeys, { owner: 'a rule' })

export type WrittenRule = Filled<FieldsOf<typeof aegisRuleKeys>>

export function ruleOf({ fields, at }: WrittenRule, index: number, report: Report): OrderedRule {
  const written = fields.match?.value?.fields
  const match = {
    type: written?.type?.value ?? '*',
    target: written?.target?.value ?? '*',
    agent: written?.agent?.value ?? '*',
  }
  const conditions = fields.conditions?.value
  const { line, col }: Spot = at
  return {
    name: fields.name === undefined ? `rule_${index}` : fields.name.value || `${match.type}@${match.target}`,
    match,
    conditions: conditions ? conditionsOf(conditions, report) : [],
    effect: effects[fields.approval?.value ?? 'approve'],
    riskLevel: fields.risk_level?.value ?? 'medium',
    place: { file: report.file, line, col },
  }
}
