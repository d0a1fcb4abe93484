/**
 * What was known of the run of a recorded call. The run as its host registered it is not in the record, what was known of it
 * is: that counts for another policy too, where both say the same of the tool and of claims.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Input, LayeredRuns } from '../model/call.ts'
import type { Target } from '../model/match.ts'
import { bindingOf } from '../model/pack/plan.ts'
import type { PackPolicy, ToolBinding } from '../model/pack/policy.ts'
import type { RunFacts } from '../model/pack/run.ts'
import type { Layer, Policy, PolicySet } from '../model/policy.ts'
import { regoRun } from '../model/rego.ts'
import type { RecordedCall } from './event.ts'

/** The facts that the policy would be given; undefined when they cannot be told. */
export function recordedRun(
  policy: PolicySet,
  { call, input, policy: then }: RecordedCall,
): { readonly run?: RunFacts | LayeredRuns } | undefined {
  const known =
    input && then
      ? partsOf(then).flatMap(({ name, policy: pack }) =>
          isPack(pack) ? [{ pack, run: runOf(input, then, name) }] : [],
        )
      : []
  const runs: (readonly [string, RunFacts])[] = []
  for (const { name, policy: one } of partsOf(policy)) {
    const same = isPack(one) ? known.find(({ pack }) => isSameFor(call, pack, one)) : undefined
    if (isPack(one) && !same) return undefined
    const run = one.strategy === 'rego' ? regoRun(call) : same?.run
    if (run) runs.push([name, run])
  }
  if ('layers' in policy)
    return runs.length === 0 ? {} : { run: Object.fromEntries(runs.sort(([a], [b]) => (a < b ? -1 : 1))) }
  return runs[0] ? { run: runs[0][1] } : {}
}

function partsOf(policy: PolicySet): readonly Pick<Layer, 'name' | 'policy'>[] {
  return 'layers' in policy ? policy.layers : [{ name: '', policy }]
}

function isPack(policy: Policy): policy is PackPolicy {
  return policy.strategy === 'pack'
}

function runOf(input: Input, then: PolicySet, layer: string): RunFacts | undefined {
  if (!('layers' in then)) return input.run
  const runs = (input.run ?? {}) as LayeredRuns
  return Object.hasOwn(runs, layer) ? runs[layer] : undefined
}

function isSameFor(target: Target, one: PackPolicy, other: PackPolicy): boolean {
  return (
    isDeepStrictEqual(saidOf(bindingOf(one, target)), saidOf(bindingOf(other, target))) &&
    (one.tools === undefined) === (other.tools === undefined) &&
    isDeepStrictEqual(one.claims, other.claims)
  )
}

/** Of a tool: what it does, not where the file says so. */
function saidOf(binding: ToolBinding | undefined): object | undefined {
  if (!binding) return undefined
  const { namespace, access, branch, paths, content } = binding
  return { namespace, access, branch, paths, content }
}
