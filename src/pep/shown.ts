/**
 * May a list show a target, as the policies say that nobody but they themselves can tell it of? Rego of others is asked as of
 * a call, with `list` in the place of what such a call would bring.
 */
import type { Call, Principal } from '../model/call.ts'
import { canonical, type Json } from '../model/canonical.ts'
import { inputOf } from '../model/input.ts'
import { inputBytesMax } from '../model/limits.ts'
import type { Target } from '../model/match.ts'
import { planFor } from '../model/strategy.ts'
import { type ActiveLayers, type ActivePolicy, partsOf } from './active.ts'

export function askedWhatIsShown(active: ActivePolicy | ActiveLayers): readonly ActivePolicy[] {
  return partsOf(active).filter(({ policy }) => policy.strategy === 'rego')
}

/** Whatever is not a no: what is held may be called. Throws what the policies throw. */
export function areShowing(asked: readonly ActivePolicy[], target: Target, principal: Principal, at: number): boolean {
  const call: Call = { ...target, arguments: {}, principal, session: '' }
  return asked.every(({ policy, evaluate }) => {
    const input = canonical({ ...inputOf(call, planFor(policy, target), {}, {}, at), list: true } as unknown as Json)
    return Buffer.byteLength(input) <= inputBytesMax && evaluate(input).decision !== 'deny'
  })
}
