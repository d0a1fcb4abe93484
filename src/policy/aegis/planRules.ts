/** Rules about plans of several actions. They are read, so that a mistake in them is told, and not asked. */
import { type Form, listOf, record } from '../forms.ts'
import { text, wholeNumber } from '../scalars.ts'
import { approval, orNothing, riskLevel } from './rules.ts'

const sequenceKeys = {
  name: { form: text, about: 'What the sequence is called.', required: 'name the sequence' },
  steps: {
    form: listOf(text, 'a list of two or more globs', 2),
    about: 'Globs over the names of tools, in the order of the plan.',
    required: 'list the steps',
  },
  approval: { form: approval, about: 'What happens to a plan that has the sequence.' },
  risk_level: { form: riskLevel, about: 'The risk of such a plan.' },
  description: { form: text, about: 'For the readers of the file.' },
  window: { form: wholeNumber(0), about: 'How many steps the sequence may take.' },
} as const

const cumulativeKeys = {
  max_total_risk: { form: wholeNumber(0), about: 'The most that the risks of a plan may sum up to.' },
  on_exceed: { form: approval, about: 'What happens to a plan above it.' },
} as const

export const planRulesForm: Form<unknown> = orNothing(
  record('a map with `sequence_patterns` and `cumulative_risk`', {
    sequence_patterns: {
      form: orNothing(listOf(record('a sequence: a map', sequenceKeys), 'a list of sequences', 0)),
      about: 'Sequences that a plan must not have.',
    },
    cumulative_risk: {
      form: orNothing(record('a map with `max_total_risk` and `on_exceed`', cumulativeKeys)),
      about: 'A bound on the risks of a plan together.',
    },
  }),
)
