/** Service accounts of a Kubernetes cluster, by the tokens that it projects into pods. */
import type { Principal } from '../model/call.ts'
import type { Json } from '../model/canonical.ts'
import { valueAt } from '../model/input.ts'
import { invalidToken } from './caller.ts'
import { type Claims, known } from './claims.ts'

/** The private claim of bound tokens: `namespace`, `serviceaccount`, `pod`, `node`. */
const ownClaim = 'kubernetes.io'

/** The agent is `NAMESPACE/NAME`, its project the namespace, its groups those that the cluster gives. Throws a `Refused`. */
export function principalOfServiceAccount(claims: Claims, keep: readonly string[]): Principal {
  const namespace = textAt(claims, ['namespace'])
  const name = textAt(claims, ['serviceaccount', 'name'])
  if (claims['sub'] !== `system:serviceaccount:${namespace}:${name}`)
    throw invalidToken('the token names another service account in `sub` than in `kubernetes.io`')
  const kept = keep.flatMap((claim) => (Object.hasOwn(claims, claim) ? [[claim, claims[claim] as Json]] : []))
  return known({
    agent: `${namespace}/${name}`,
    project: namespace,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`],
    ...(keep.length > 0 && { claims: Object.fromEntries(kept) }),
  })
}

function textAt(claims: Claims, path: readonly string[]): string {
  const value = valueAt(claims, [ownClaim, ...path])
  // Names of namespaces and accounts are DNS names: a slash or a colon in one would make it read as another.
  if (typeof value === 'string' && /^[a-z0-9][a-z0-9.-]{0,252}$/.test(value)) return value
  throw invalidToken(`the token is not one of a service account: \`${ownClaim}.${path.join('.')}\` is missing`)
}
