/** `tollgate inspect`: what a bundle says of itself and holds. Nothing of it is verified, and it says so. */
import { hash } from 'node:crypto'
import { plain } from '../model/message/plain.ts'
import { fileAt, readBundle } from '../opa/bundle.ts'
import { type BundleFile, signaturesPath } from '../opa/files.ts'
import type { WasmResolver } from '../opa/manifest.ts'
import { claimsOf, headerOf, readTokens } from '../opa/signatures.ts'
import { withFileNamed } from '../runtime/bundleFile.ts'
import { readPolicyFile } from '../runtime/policyFile.ts'
import { say } from './log.ts'
import { type Column, tableLines } from './table.ts'

export interface InspectOptions {
  readonly json?: true
}

export async function inspect(file: string, { json }: InspectOptions): Promise<void> {
  const bytes = readPolicyFile(file)
  const { files, manifest } = await withFileNamed(file, () => readBundle(bytes))
  const shown = {
    file,
    sha256: hash('sha256', bytes),
    bytes: bytes.length,
    revision: manifest.revision,
    roots: manifest.roots,
    wasm: manifest.wasm,
    metadata: manifest.metadata,
    signatures: signaturesIn(files),
    files: files.map((one) => ({ path: `/${one.path}`, bytes: one.bytes.length, sha256: hash('sha256', one.bytes) })),
  }
  if (json) process.stdout.write(`${JSON.stringify(shown, null, 2)}\n`)
  else tell(shown)
}

type Shown = {
  readonly revision: string
  readonly roots: readonly string[]
  readonly wasm: readonly WasmResolver[]
  readonly signatures: ReturnType<typeof signaturesIn>
  readonly files: readonly { readonly path: string; readonly bytes: number; readonly sha256: string }[]
}

function tell({ revision, roots, wasm, signatures, files }: Shown): void {
  const { stdout } = process
  const width = (stdout.isTTY && stdout.columns) || Number.POSITIVE_INFINITY
  const rows = [
    ['revision', revision],
    ['roots', roots.map((root) => `/${root}`).join(', ')],
    ...wasm.map(({ entrypoint, module }) => ['entry', `${entrypoint} (${module})`]),
  ]
  for (const [name = '', value = ''] of rows) stdout.write(`${name.padEnd(10)}${plain(value)}\n`)
  stdout.write('\n')
  for (const line of tableLines(signatureColumns, signatures, width, stdout)) stdout.write(line)
  stdout.write(signatures.length === 0 ? 'not signed\n\n' : '\n')
  for (const line of tableLines(fileColumns, files, width, stdout)) stdout.write(line)
  say('nothing of this is verified: `tollgate verify` does that')
}

const signatureColumns: readonly Column<Shown['signatures'][number]>[] = [
  { title: 'SIGNED WITH', least: 8, cell: (row) => row.key_id },
  { title: 'ALGORITHM', least: 9, cell: (row) => row.algorithm },
  { title: 'SEQUENCE', least: 8, cell: (row) => (row.sequence === null ? undefined : String(row.sequence)) },
  { title: 'ISSUED', least: 10, cell: (row) => row.issued_at },
  { title: 'EXPIRES', least: 10, cell: (row) => row.expires_at },
  { title: 'SCOPE', least: 5, cell: (row) => row.scope },
]

const fileColumns: readonly Column<Shown['files'][number]>[] = [
  { title: 'FILE', least: 12, cell: (row) => row.path },
  { title: 'BYTES', least: 8, cell: (row) => String(row.bytes) },
  { title: 'SHA-256', least: 12, cell: (row) => row.sha256 },
]

function signaturesIn(files: readonly BundleFile[]) {
  const found = fileAt(files, signaturesPath)
  if (!found) return []
  return readTokens(found.bytes).map((token) => {
    const { algorithm, keyId } = headerOf(token)
    const { files: listed, keyId: named, issuedAt, expiresAt, ...claims } = claimsOf(token)
    return {
      key_id: keyId ?? named ?? null,
      algorithm,
      files: listed.length,
      issued_at: timeText(issuedAt),
      expires_at: timeText(expiresAt),
      sequence: claims.sequence ?? null,
      scope: claims.scope ?? null,
      issuer: claims.issuer ?? null,
    }
  })
}

function timeText(seconds: number | undefined): string | null {
  return seconds === undefined || seconds > 8.64e12 ? null : new Date(seconds * 1000).toISOString()
}
