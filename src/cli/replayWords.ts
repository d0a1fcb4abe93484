/** The words in which a replay is told, in a terminal and in Markdown. */
import type { Json } from '../model/canonical.ts'
import { plain } from '../model/message/plain.ts'
import type { Decided } from '../replay/event.ts'
import type { Lack } from '../replay/known.ts'
import type { Example, Outcome, RuleChange } from '../replay/report.ts'
import type { ReplayReport } from './replay.ts'

export const outcomeWords: Readonly<Record<Outcome, string>> = {
  newly_allowed: 'newly allowed',
  newly_denied: 'newly denied',
  newly_held: 'newly held',
  other_rule: 'by another rule',
  other_reason: 'for another reason',
  undecidable: 'undecidable',
}

export const causeWords: Readonly<Record<Lack['cause'], string>> = {
  arguments: 'arguments that the policy reads were not kept',
  masked: 'what the policy reads was masked',
  run: 'the run of the call was not kept',
  counters: 'it depends on what undecidable calls have taken',
  session: 'an undecidable call may have ended the session',
  approval: 'it depends on whether the approval was used, or was for this call',
  pinning: 'no record says what the lists of the server showed',
}

export function decidedText({ decision, rule, reason_code }: Decided): string {
  const why = [rule && `by ${rule}`, reason_code && `(${reason_code})`].filter(Boolean).join(' ')
  return plain(why === '' ? decision : `${decision} ${why}`)
}

export function afterText({ after, cause }: RuleChange): string {
  return after ? decidedText(after) : causeWords[cause ?? 'arguments']
}

export function argumentsText(example: Example, charsMax: number): string {
  if (example.arguments !== null) return shortened(example.arguments, charsMax)
  return example.read === undefined ? 'arguments not kept' : `of the arguments: ${shortened(example.read, charsMax)}`
}

function shortened(value: Json, charsMax: number): string {
  const text = plain(JSON.stringify(value))
  return text.length > charsMax ? `${text.slice(0, charsMax)}…` : text
}

/** What the numbers do not say by themselves. */
export function notesOf(report: ReplayReport): readonly string[] {
  const { repeats, messages, pinning_left_out: pinning, disordered, missing, checks } = report
  const notes: readonly (readonly [number, string])[] = [
    [checks, 'were only asked about, and charge nothing'],
    [repeats, 'more were made again after they had been held: the new policy lets them through the first time'],
    [messages, 'more were no calls: no policy says anything of them'],
    [pinning, 'are judged without asking whether their tools are what they were: no record says what lists showed'],
    [missing, 'records are not in the export, between its first and its last: what they took and said does not count'],
    [disordered, 'stood behind later ones, and are judged at the time of those'],
  ]
  return notes.filter(([count]) => count > 0).map(([count, text]) => `${count} ${text}`)
}

export function changedIn({ changes }: ReplayReport): number {
  return Object.values(changes).reduce((sum, count) => sum + count, 0)
}

export function againstText({ against: { policies, revision } }: ReplayReport): string {
  const names = policies.map(
    ({ layer, policy_id, policy_version }) =>
      `${layer === undefined ? '' : `${layer}=`}${policy_id}${policy_version === '' ? '' : ` ${policy_version}`}`,
  )
  return plain(`${names.join(', ')} (revision ${revision.slice(0, 12)})`)
}
