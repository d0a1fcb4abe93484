/** What no case noticed, as people read it. */
import { plain } from '../../model/message/plain.ts'
import type { Mutation } from './run.ts'

export function mutationText({ mutants, noticed, score, equivalent, survivors }: Mutation): string {
  const left =
    equivalent === 0
      ? ''
      : `; ${equivalent} more can change no decision and ${equivalent === 1 ? 'was' : 'were'} not tried`
  const lines = survivors.map(({ place, change }) => `  ${place.file}:${place.line}: ${change}`)
  const title = survivors.length === 0 ? [] : ['changes of the policy that no case notices:', ...lines, '']
  const all = [...title, `mutation score ${score}: ${noticed} of ${mutants} changes noticed${left}`]
  return `${all.map(plain).join('\n')}\n`
}
