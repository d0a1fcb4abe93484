/** `tollgate verify`: whoever signed a bundle, whether it is whole and fresh, whether its parts belong together. */
import { hash } from 'node:crypto'
import { rebuilt } from '../bundle/rebuild.ts'
import { isCompiledHere } from '../bundle/rego.ts'
import { plain } from '../model/message/plain.ts'
import { readBundle } from '../opa/bundle.ts'
import type { Verified } from '../opa/trust.ts'
import { verifyBundle } from '../opa/verify.ts'
import { openBundleFile, requireTrust, withFileNamed } from '../runtime/bundleFile.ts'
import { readPolicyFile } from '../runtime/policyFile.ts'
import { UsageError } from './exit.ts'
import { withMistakesTold } from './policies.ts'
import { type TrustOptions, trustNow } from './trustOptions.ts'

export interface VerifyOptions extends TrustOptions {
  readonly signatures?: true
  readonly rebuild?: true
  readonly json?: true
}

export async function verify(file: string, options: VerifyOptions): Promise<void> {
  if (options.signatures && options.rebuild)
    throw new UsageError('`--signatures` and `--rebuild` do not go together: what is compiled again is not looked at')
  const bytes = readPolicyFile(file)
  const verified = options.signatures ? await signaturesOf(file, bytes, options) : await wholeOf(file, bytes, options)
  const proved = { file, sha256: hash('sha256', bytes), ...verified }
  process.stdout.write(options.json ? `${JSON.stringify(proved, null, 2)}\n` : textOf(proved))
}

async function wholeOf(file: string, bytes: Uint8Array, { rebuild, ...options }: VerifyOptions): Promise<Proved> {
  const opened = await withMistakesTold([file], () => openBundleFile(file, bytes, trustNow(options)))
  if (rebuild) await rebuilt(opened)
  const { artifact, metadata } = opened
  const foreign = metadata ? {} : { entrypoint: artifact.entrypoint, compiled_here: isCompiledHere(artifact) }
  return {
    ...provedOf(opened.revision, opened, { policy: artifact.revision, rebuilt: rebuild === true }),
    ...foreign,
  }
}

async function signaturesOf(file: string, bytes: Uint8Array, options: VerifyOptions): Promise<Proved> {
  const trust = await requireTrust(file, trustNow(options))()
  return withFileNamed(file, async () => {
    const bundle = await readBundle(bytes)
    const verified = await verifyBundle(bundle, trust, { now: Date.now() })
    return provedOf(bundle.manifest.revision, verified, { policy: null, rebuilt: false })
  })
}

interface Proved {
  readonly revision: string
  /** Of the policy in it; null where that was not looked at. */
  readonly policy: string | null
  readonly signed_by: readonly { readonly key_id: string; readonly algorithm: string }[]
  readonly sequence: number | null
  readonly issued_at: string | null
  readonly expires_at: string | null
  readonly rebuilt: boolean
  /** The rule that decides, where it is Rego of others. */
  readonly entrypoint?: string
  /** It is: is there no module in the bundle, but one that its Rego was compiled to here? */
  readonly compiled_here?: boolean
}

function provedOf(revision: string, verified: Verified, looked: Pick<Proved, 'policy' | 'rebuilt'>): Proved {
  const { signers, sequence, issuedAt, expiresAt } = verified
  return {
    revision,
    policy: looked.policy,
    signed_by: signers.map(({ keyId, algorithm }) => ({ key_id: keyId, algorithm })),
    sequence: sequence ?? null,
    issued_at: issuedAt === undefined ? null : new Date(issuedAt).toISOString(),
    expires_at: expiresAt === undefined ? null : new Date(expiresAt).toISOString(),
    rebuilt: looked.rebuilt,
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
  entrypoint,
  compiled_here: isCompiled,
}: Proved): string {
  const rows = [
    ['revision', plain(revision)],
    ['policy', policy ?? 'not looked at'],
    ...(entrypoint === undefined ? [] : [['decides', plain(entrypoint)]]),
    [
      'signed by',
      signers.map(({ key_id: id, algorithm }) => `${plain(id) || 'the key'} (${algorithm})`).join(', ') || 'nobody',
    ],
    ['sequence', sequence === null ? 'none' : String(sequence)],
    ['issued at', issued ?? 'not said'],
    ['expires at', expires ?? 'never'],
    [
      'module',
      isCompiled
        ? 'compiled here: the bundle has none'
        : moduleText(policy, again, signers.length > 0, entrypoint !== undefined),
    ],
  ]
  return rows.map(([name = '', value = '']) => `${name.padEnd(12)}${value}\n`).join('')
}

function moduleText(policy: string | null, isRebuilt: boolean, isSigned: boolean, isForeign: boolean): string {
  if (policy === null) return 'not looked at'
  if (isRebuilt) return 'compiled again, and the same'
  if (isForeign) return isSigned ? 'as the signature binds it' : 'proved by no signature'
  return `${isSigned ? 'as the signature binds it' : 'proved by no signature'}; \`--rebuild\` compiles it again`
}
