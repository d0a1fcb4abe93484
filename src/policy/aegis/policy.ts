/** Aegis files (agent-aegis 1.0): ordered rules, of which the first that matches a call decides. */
import type { Answer, FirstPolicy } from '../../model/ordered.ts'
import type { Report } from '../diagnostics.ts'
import { type Form, found, listOf, mistake, record } from '../forms.ts'
import { labelCharsMax } from '../limits.ts'
import type { Node } from '../source.ts'
import { baseName } from '../whole.ts'
import { planRulesForm } from './planRules.ts'
import { reportSize } from './reach.ts'
import { approval, effects, orNothing, riskLevel, ruleForm, ruleOf } from './rules.ts'
import { textInBoth } from './yaml11.ts'

const languageVersion: Form<number> = {
  says: '"1" or "2"',
  schema: { enum: ['1', '2', 1, 2] },
  read(node, name, report) {
    if (node.kind === 'scalar' && node.value !== null && /^[12]$/.test(node.text)) return Number(node.text)
    report.error(node.at, 'wrong_value', `${name} must be "1" or "2", the versions of the language, got ${found(node)}`)
    return undefined
  },
}

/** Text, of which nothing depends here. */
const word: Form<string> = textInBoth({
  says: 'text',
  schema: { type: 'string', maxLength: labelCharsMax },
  read(node, label, report) {
    if (node.kind === 'scalar' && typeof node.value === 'string' && node.value.length <= labelCharsMax)
      return node.value
    return mistake(node, label, 'text', report)
  },
})

export const aegisDefaultsKeys = {
  risk_level: { form: riskLevel, about: 'The risk of a call that no rule matches; `medium` if not given.' },
  approval: { form: approval, about: 'What happens to a call that no rule matches; `block` if not given.' },
} as const

export const aegisKeys = {
  version: { form: languageVersion, about: 'The version of the language; 1 if not given.' },
  scope: { form: word, about: 'For whom the policy is; only for the readers of the file.' },
  scope_id: { form: word, about: 'Of which team or agent it is; only for the readers of the file.' },
  defaults: {
    form: orNothing(record('a map with `risk_level` and `approval`', aegisDefaultsKeys)),
    about: 'What a call gets that no rule matches.',
  },
  rules: {
    form: orNothing(listOf(ruleForm, 'a list of rules', 0)),
    about: 'The rules, in the order in which they are asked; the first that matches decides.',
  },
  plan_rules: {
    form: planRulesForm,
    about: 'Rules about plans of several actions; the gate sees single calls, and does not ask them.',
  },
} as const

export const aegisForm = record('an Aegis policy', aegisKeys)

export function readAegis(root: Node, report: Report): FirstPolicy | undefined {
  const { fields } = aegisForm.read(root, 'an Aegis policy', report) ?? {}
  if (!fields) return undefined
  if (fields.plan_rules)
    report.warning(
      fields.plan_rules.keyAt,
      'not_asked',
      '`plan_rules` are about plans of several actions: the gate sees single calls, and does not ask them',
    )
  const rules = (fields.rules?.value?.value ?? []).map(({ value }, index) => ruleOf(value, index, report))
  if (rules.length === 0 && !report.failed)
    report.warningOfWhole(
      fields.rules?.at ?? root.at,
      'says_nothing',
      'there are no rules: every call gets what `defaults` says',
    )
  reportSize(rules, report)
  const defaults = fields.defaults?.value?.value?.fields
  const otherwise: Answer = {
    effect: effects[defaults?.approval?.value ?? 'block'],
    riskLevel: defaults?.risk_level?.value ?? 'medium',
  }
  return { strategy: 'first', language: 'aegis', id: baseName(report.file), version: '', rules, otherwise }
}
