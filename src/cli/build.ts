/** `tollgate build`: policy files to a bundle, the same bytes on every machine. */
import { hash } from 'node:crypto'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { bundleFiles } from '../bundle/bundled.ts'
import { requireRoot } from '../bundle/root.ts'
import { TollgateError } from '../model/errors.ts'
import { pack } from '../opa/pack.ts'
import { type Signing, signed } from '../opa/sign.ts'
import { buildPolicyFiles } from '../runtime/policyFile.ts'
import { version } from '../runtime/version.ts'
import { writeNewFile } from './newFile.ts'
import { withMistakesTold } from './policies.ts'
import { type SigningOptions, signingOf } from './signing.ts'

export interface BuildOptions extends SigningOptions {
  readonly output: string
  readonly revision?: string
  readonly root?: string
  readonly json?: true
}

export async function build(
  named: readonly string[],
  { output, revision, root, json, ...options }: BuildOptions,
): Promise<void> {
  const signing = signingOf(options)
  if (root !== undefined) requireRoot(root)
  const files = named.flatMap(policyFilesIn)
  const artifact = await withMistakesTold(files, () => buildPolicyFiles(files, root))
  const content = bundleFiles(artifact, { version, ...(revision !== undefined && { revision }) })
  const bytes = pack(signing ? await signed(content, signing) : content)
  writeNewFile({ file: output, force: true }, bytes)
  const written = {
    file: output,
    revision: revision ?? artifact.revision,
    bytes: bytes.length,
    sha256: hash('sha256', bytes),
  }
  if (json)
    process.stdout.write(
      `${JSON.stringify({ ...written, policy: artifact.revision, ...signedText(signing) }, null, 2)}\n`,
    )
  else
    process.stderr.write(`${output}: revision ${written.revision}, ${bytes.length} bytes, ${signedSentence(signing)}\n`)
}

export function signedText(signing: Signing | undefined): object {
  if (!signing) return { signed: null }
  const { keyId, algorithm, sequence, issuedAt, expiresAt } = signing
  return {
    signed: { key_id: keyId, algorithm, sequence, iat: issuedAt, ...(expiresAt !== undefined && { exp: expiresAt }) },
  }
}

export function signedSentence(signing: Signing | undefined): string {
  return signing
    ? `signed with \`${signing.keyId}\` (${signing.algorithm}), sequence ${signing.sequence}`
    : 'not signed'
}

/**
 * A folder is one policy: `policy.yaml` is the base where there is one, and other policy files are added to it by name. Case
 * files (`_test.yaml`) are none.
 */
function policyFilesIn(named: string): readonly string[] {
  if (!statSync(named, { throwIfNoEntry: false })?.isDirectory()) return [named]
  const names = readdirSync(named)
    .filter((name) => /\.ya?ml$/.test(name) && !/_test\.ya?ml$/.test(name))
    .sort()
  const base = names.find((name) => /^policy\.ya?ml$/.test(name))
  if (names.length === 0)
    throw new TollgateError('policy_unreadable', `\`${named}\`: no policy file is in this folder (\`*.yaml\`)`)
  if (base === undefined && names.length > 1)
    throw new TollgateError(
      'policy_unreadable',
      `\`${named}\`: several policy files and no \`policy.yaml\`, which would be the base: name them in their order`,
    )
  return [...names.filter((name) => name === base), ...names.filter((name) => name !== base)].map((name) =>
    join(named, name),
  )
}
