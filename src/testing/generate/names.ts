/** Names and callers that patterns of a policy match. */
import type { Principal } from '../../model/call.ts'
import type { Callers, CallerTest, Pattern } from '../../model/policy.ts'

export function nameFor({ kind, text }: Pattern): string {
  return kind === 'literal' ? text : text.replaceAll('*', 'x').replaceAll('?', 'x')
}

/** What has to be known of somebody whom it is for. */
export function callersFor(callers: Callers | undefined): readonly Principal[] {
  return (callers ?? []).map(known)
}

function known({ agent, user, project, groups }: CallerTest): Principal {
  const first = (patterns: readonly Pattern[] | undefined) => (patterns?.[0] ? nameFor(patterns[0]) : undefined)
  const named = { agent: first(agent), user: first(user), project: first(project) }
  const group = first(groups)
  return {
    ...(Object.fromEntries(Object.entries(named).filter(([, name]) => name !== undefined)) as Principal),
    ...(group !== undefined && { groups: [group] }),
  }
}
