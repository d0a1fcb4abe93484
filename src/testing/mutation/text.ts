/** What no case noticed, as people read it. */
import { plain } from '../../model/message/plain.ts'
import type { Mutation, Survivor } from './run.ts'
import type { Witness } from './witness.ts'

export function mutationText({ mutants, noticed, score, equivalent, survivors }: Mutation): string {
  const left =
    equivalent === 0
      ? ''
      : `; ${equivalent} more can change no decision and ${equivalent === 1 ? 'was' : 'were'} not counted`
  const lines = survivors.flatMap(survivorLines)
  const title = survivors.length === 0 ? [] : ['changes of the policy that no case notices:', ...lines, '']
  const all = [...title, `mutation score ${score}: ${noticed} of ${mutants} changes noticed${left}`]
  return `${all.map(plain).join('\n')}\n`
}

function survivorLines({ place, change, witness }: Survivor): readonly string[] {
  const line = `  ${place.file}:${place.line}: ${change}`
  return witness ? [line, `    ${witnessText(witness)}`] : [line]
}

function witnessText({ call, times, decision, changed }: Witness): string {
  const which = times === undefined ? '' : `, made ${times} times, in the end`
  return `it would be noticed by ${JSON.stringify(call)}${which}: ${decision}, and ${changed} with the change`
}
