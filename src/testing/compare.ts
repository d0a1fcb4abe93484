/** What came of a call, by the words that files expect it in, and how the two differ. */
import { canonical, type Json } from '../model/canonical.ts'
import { microPerUnit } from '../model/limits.ts'
import type { Difference } from './result.ts'
import type { Judged, Reserved } from './stage.ts'
import type { Expected } from './suite.ts'

/** The decision as `eval` prints it, with what was reserved; ids and revisions are nobody's expectation. */
export function outcomeOf({ decision, reserved }: Judged): Readonly<Record<string, Json>> {
  const { decision_id: _, revision: __, pack_sha256: ___, layers, approval, ...said } = decision
  const { id: ____, ...asked } = approval ?? { id: '' }
  return {
    ...(said as unknown as Record<string, Json>),
    ...(approval && { approval: asked as Json }),
    ...(layers && { layers: Object.fromEntries(layers.map(({ name, ...own }) => [name, own as unknown as Json])) }),
    ...(reserved.length > 0 && { reserved: reservedOf(reserved) }),
  }
}

/** By counter, in units; with the id of the policy where several count. */
function reservedOf(reserved: readonly Reserved[]): { readonly [counter: string]: Json } {
  const isOne = new Set(reserved.map(({ policyId }) => policyId)).size === 1
  return Object.fromEntries(
    reserved.map(({ policyId, counter, isAmount, amount }) => [
      isOne ? counter : `${policyId}: ${counter}`,
      isAmount ? amount / microPerUnit : amount,
    ]),
  )
}

export function differencesOf(
  outcome: Readonly<Record<string, Json>>,
  expected: readonly Expected[],
): readonly Difference[] {
  return expected.flatMap(({ path, value, at }) => {
    const missing = path.findIndex((_, index) => index > 0 && memberAt(outcome, path.slice(0, index)) === null)
    // What is not there has no members, not even one that is `null`.
    if (missing > 0) return [differing(path.slice(0, missing), within(path.slice(missing), value), null, at)]
    const got = memberAt(outcome, path)
    return canonical(got) === canonical(value) ? [] : [differing(path, value, got, at)]
  })
}

function differing(path: readonly string[], expected: Json, got: Json, at: Difference['at']): Difference {
  return { key: path.join('.'), expected, got, at }
}

function within(path: readonly string[], value: Json): Json {
  return path.reduceRight<Json>((inner, key) => ({ [key]: inner }), value)
}

/** `null` where nothing is. */
function memberAt(value: Json, path: readonly string[]): Json {
  let found: Json = value
  for (const key of path) {
    if (typeof found !== 'object' || found === null || Array.isArray(found) || !Object.hasOwn(found, key)) return null
    found = (found as { readonly [key: string]: Json })[key] as Json
  }
  return found
}
