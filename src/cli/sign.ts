/** `tollgate sign`: a bundle of ours, or of `opa build`, gets a signature. What is in it is not judged. */
import { hash } from 'node:crypto'
import { fileAt, readBundle } from '../opa/bundle.ts'
import { signaturesPath } from '../opa/files.ts'
import { pack } from '../opa/pack.ts'
import { countersigned, type Signing, signed } from '../opa/sign.ts'
import { claimsOf, readTokens } from '../opa/signatures.ts'
import { withFileNamed } from '../runtime/bundleFile.ts'
import { readPolicyFile } from '../runtime/policyFile.ts'
import { signedSentence, signedText } from './build.ts'
import { UsageError } from './exit.ts'
import { writeNewFile } from './newFile.ts'
import { type SigningOptions, signingOf } from './signing.ts'

export interface SignOptions extends SigningOptions {
  readonly output?: string
  readonly add?: true
  readonly json?: true
}

export async function sign(file: string, { output = file, add, json, ...options }: SignOptions): Promise<void> {
  const given = signingOf(options)
  if (!given) throw new UsageError('the key is missing: name it with `--sign-key FILE`')
  const read = readPolicyFile(file)
  const { files } = await withFileNamed(file, () => readBundle(read))
  const before = fileAt(files, signaturesPath)
  // All who sign agree on the sequence.
  const sequence =
    add && before && options.sequence === undefined ? claimsOf(readTokens(before.bytes)[0]).sequence : undefined
  const signing: Signing = { ...given, ...(sequence !== undefined && { sequence }) }
  const bytes = pack(await (add ? countersigned : signed)(files, signing))
  writeNewFile({ file: output, force: true }, bytes)
  const written = { file: output, bytes: bytes.length, sha256: hash('sha256', bytes) }
  if (json) process.stdout.write(`${JSON.stringify({ ...written, ...signedText(signing) }, null, 2)}\n`)
  else process.stderr.write(`${output}: ${signedSentence(signing)}\n`)
}
