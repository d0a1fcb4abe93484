/** What a policy asks of the command line of a gate: told by name, because a guess could disarm a rule. */
import { serverNamedInSet } from '../model/layers.ts'
import { pinningIn } from '../model/pinning.ts'
import type { Policy, PolicySet } from '../model/policy.ts'
import { UsageError } from './exit.ts'

export interface Answers {
  readonly server?: string | undefined
  /** Where runs are registered. */
  readonly run?: string | undefined
}

/** What the policy asks of the command line. Throws a `UsageError` where it is not told. */
export function requireAnswers(policy: PolicySet, { server, run }: Answers): void {
  requireServerName(policy, server)
  const packs = policiesIn(policy).flatMap((one) => (one.strategy === 'pack' ? [one] : []))
  if (packs.length > 0 && run === undefined)
    throw new UsageError(
      'a policy pack decides by the run that calls belong to: say where it is registered with `--run FILE`',
    )
  // One registration would speak for all tools alike, whatever they do.
  if (packs.some(({ tools }) => tools === undefined))
    throw new UsageError(
      'the policy pack is not told what the tools of this server are: name it in a settings file that has `tools`',
    )
}

function policiesIn(set: PolicySet): readonly Policy[] {
  return 'layers' in set ? set.layers.map(({ policy }) => policy) : [set]
}

/** A policy that speaks of servers by name must be told which one this is: a guess could disarm a rule. */
function requireServerName(policy: PolicySet, server: string | undefined): void {
  if (server !== undefined) return
  if (pinningIn(policy))
    throw new UsageError(
      'the policy pins what the tools of a server say of themselves: say which server this is with `--server NAME`',
    )
  if (policiesIn(policy).some(({ strategy }) => strategy === 'rego'))
    throw new UsageError(
      'the policy is Rego of others, which may speak of servers by name: say which one this is with `--server NAME`',
    )
  const named = serverNamedInSet(policy)
  if (named !== undefined)
    throw new UsageError(
      `the policy speaks of servers by name (\`${named}\`): say which one this is with \`--server NAME\``,
    )
}
