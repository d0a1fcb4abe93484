/** An explanation as people read it: the decision, then what was asked in order, with what decided and what would do. */

import { plain } from '../model/message/plain.ts'
import type { Seen, Step } from '../reference/explain.ts'
import type { Explained, ExplainedPolicy } from './explainRecord.ts'
import type { Colour } from './terminal.ts'

export type Paint = (colour: Colour, text: string) => string

export function explanationText(explained: Explained, paint: Paint): string {
  const { policies, gate, difference } = explained
  return [
    ...headLines(explained, paint),
    ...(difference === undefined ? [] : ['', paint('red', `Asked again, it is not the same: ${plain(difference)}`)]),
    ...(gate
      ? [
          '',
          'No policy was asked: the gate refused it by itself.',
          `  meaning    ${gate.meaning}`,
          `  would do   ${gate.otherwise}`,
        ]
      : []),
    ...policies.flatMap((policy) => ['', ...policyLines(policy, paint)]),
  ].join('\n')
}

function headLines(
  { decision, decision_id, time, method, server, name, visible, decided_by, known_from }: Explained,
  paint: Paint,
): string[] {
  const said = (key: string) => (typeof decision[key] === 'string' ? plain(decision[key] as string) : '')
  const kind = method === 'prompts/get' ? 'prompt' : method === 'resources/read' ? 'resource' : 'tool'
  const target = name === null ? (method ?? 'a message') : `${kind} ${name}`
  const risk = said('risk_level') === '' ? '' : `, risk ${said('risk_level')}`
  return [
    `${paint(said('decision') === 'allow' ? 'green' : 'red', said('decision'))} ${said('reason_code')} by \`${said('rule')}\`${decided_by === undefined ? '' : ` of layer ${decided_by}`}${risk}: ${said('message')}`,
    plain(
      `${target}${server ? ` of ${server}` : ''}, ${time ?? 'at no time'}${decision_id === undefined ? '' : `, decision ${decision_id}`}`,
    ),
    ...(visible === false ? ['Lists do not show it to the caller.'] : []),
    ...(known_from === undefined ? [] : [assumption(known_from)]),
  ]
}

function assumption(knownFrom: string | null): string {
  return knownFrom === null
    ? 'As if nothing had been spent, approved or stopped before: `--ledger FILE` takes what a ledger knows.'
    : plain(`With what ${knownFrom} knows of what was spent, approved and stopped; nothing is written there.`)
}

function policyLines(
  { layer, policy_id, policy_version, language, strategy, revision, verdict, steps }: ExplainedPolicy,
  paint: Paint,
): string[] {
  const of = layer === undefined ? 'policy' : `layer ${layer}: policy`
  const version = policy_version === '' ? '' : ` version ${policy_version}`
  const says = layer === undefined ? '' : `: ${verdict.decision} ${verdict.reason_code} by \`${verdict.rule}\``
  return [
    paint('bold', plain(`${of} ${policy_id}${version} (${language}, revision ${revision.slice(0, 12)})${says}`)),
    ...shown(steps).flatMap((step) => stepLines(step, strategy === 'first' ? ordered : marks, paint)),
    ...(shown(steps).length < steps.length
      ? [`  ${paint('dim', 'not asked')}  ${steps.length - shown(steps).length} more: \`--json\` has them`]
      : []),
  ]
}

const notAskedShown = 3

/** Of what was not asked at the end the first few: a policy pack has thirty steps. */
function shown(steps: readonly Step[]): readonly Step[] {
  const asked = steps.findLastIndex(({ result }) => result !== 'not_reached') + 1
  return steps.length > asked + notAskedShown + 1 ? steps.slice(0, asked + notAskedShown) : steps
}

type Marks = Readonly<Record<Step['result'], { readonly word: string; readonly colour: Colour }>>

const marks: Marks = {
  passed: { word: 'passed', colour: 'green' },
  failed: { word: 'failed', colour: 'red' },
  unclear: { word: 'unclear', colour: 'yellow' },
  not_reached: { word: 'not asked', colour: 'dim' },
}

/** Of ordered rules a step is a rule, which matches or does not. */
const ordered: Marks = {
  ...marks,
  passed: { word: 'matches', colour: 'bold' },
  failed: { word: 'no match', colour: 'dim' },
}

function stepLines(
  { rule, place, asks, saw, result, decides, otherwise = [] }: Step,
  words: Marks,
  paint: Paint,
): string[] {
  const { word, colour } = words[result]
  const at = place ? ` (${place.file}:${place.line})` : ''
  const line = (label: string, text: string) => `             ${label.padEnd(9)} ${plain(text)}`
  return [
    `  ${paint(colour, word.padEnd(9))}  ${plain(`${rule}${at}: ${asks}`)}`,
    ...(saw.length > 0 ? [line('saw', saw.map(seenText).join('; '))] : []),
    ...(decides ? [`             ${paint('bold', 'decides')}`] : []),
    ...otherwise.map((text, index) => line(index === 0 ? 'would do' : 'or', text)),
  ]
}

const shownCharsMax = 120

function seenText({ name, value }: Seen): string {
  if (value === undefined) return `no ${name}`
  const text = JSON.stringify(value)
  return `${name} is ${text.length > shownCharsMax ? `${text.slice(0, shownCharsMax)}...` : text}`
}
