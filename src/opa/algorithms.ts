/** What bundles are signed with: the names that JWS has. */

export type Algorithm = `${'RS' | 'PS' | 'ES' | 'HS'}${'256' | '384' | '512'}` | 'EdDSA'

export const algorithms: readonly Algorithm[] = [
  ...(['RS256', 'PS256', 'ES256', 'EdDSA', 'HS256'] as const),
  ...(['RS384', 'RS512', 'PS384', 'PS512', 'ES384', 'ES512', 'HS384', 'HS512'] as const),
]

/** The same secret signs and verifies: whoever can verify can forge. */
export function isSecret(algorithm: string): boolean {
  return algorithm.startsWith('HS')
}
