/** `approvals`: how long a person has, and what Intercept does beside. What is not honoured here is said when it is read. */

import { approvalTimeoutMsMax } from '../../model/limits.ts'
import { type Form, mistake } from '../forms.ts'
import { goDuration } from './durations.ts'

/** Its keys are not all known, and none of them changes what is allowed. */
const anyMap: Form<true> = {
  says: 'a map',
  schema: { type: 'object' },
  read: (node, label, report) => (node.kind === 'map' ? true : mistake(node, label, anyMap.says, report)),
}

export const approvalKeys = {
  default_timeout: {
    form: goDuration(1_000, approvalTimeoutMsMax),
    about: 'How long a person has to answer where a rule does not say it.',
  },
  dedupe_window: {
    form: goDuration(0, approvalTimeoutMsMax),
    about: 'Read, and not honoured: the same call is the same request for as long as that is pending.',
  },
  notify: { form: anyMap, about: 'Read, and not honoured: nobody is told of a held call by way of the policy.' },
} as const
