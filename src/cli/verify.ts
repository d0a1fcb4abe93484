/** `tollgate verify`: whoever signed a bundle, whether it is whole and fresh, whether its parts belong together. */
import { hash } from 'node:crypto'
import type { OpenedBundle } from '../bundle/open.ts'
import { rebuilt } from '../bundle/rebuild.ts'
import { openBundleFile } from '../runtime/bundleFile.ts'
import { readPolicyFile } from '../runtime/policyFile.ts'
import { withMistakesTold } from './policies.ts'
import { type TrustOptions, trustNow } from './trustOptions.ts'

export interface VerifyOptions extends TrustOptions {
  readonly rebuild?: true
  readonly json?: true
}

export async function verify(file: string, { rebuild, json, ...options }: VerifyOptions): Promise<void> {
  const bytes = readPolicyFile(file)
  const opened = await withMistakesTold([file], () => openBundleFile(file, bytes, trustNow(options)))
  if (rebuild) await rebuilt(opened)
  const proved = provedOf(file, bytes, opened, rebuild === true)
  process.stdout.write(json ? `${JSON.stringify(proved, null, 2)}\n` : textOf(proved))
}

function provedOf(file: string, bytes: Uint8Array, opened: OpenedBundle, isRebuilt: boolean) {
  const { revision, artifact, signers, sequence, issuedAt, expiresAt } = opened
  return {
    file,
    sha256: hash('sha256', bytes),
    revision,
    policy: artifact.revision,
    signed_by: signers.map(({ keyId, algorithm }) => ({ key_id: keyId, algorithm })),
    sequence: sequence ?? null,
    issued_at: issuedAt === undefined ? null : new Date(issuedAt).toISOString(),
    expires_at: expiresAt === undefined ? null : new Date(expiresAt).toISOString(),
    rebuilt: isRebuilt,
  }
}

function textOf({
  revision,
  policy,
  signed_by: signers,
  sequence,
  issued_at: issued,
  expires_at: expires,
  rebuilt: again,
}: ReturnType<typeof provedOf>): string {
  const rows = [
    ['revision', revision],
    ['policy', policy],
    [
      'signed by',
      signers.map(({ key_id: id, algorithm }) => `${id || 'the key'} (${algorithm})`).join(', ') || 'nobody',
    ],
    ['sequence', sequence === null ? 'none' : String(sequence)],
    ['issued at', issued ?? 'not said'],
    ['expires at', expires ?? 'never'],
    ['module', again ? 'compiled again, and the same' : 'as the signature binds it; `--rebuild` compiles it again'],
  ]
  return rows.map(([name = '', value = '']) => `${name.padEnd(12)}${value}\n`).join('')
}
