/** Digests of files, as they stand in signatures. */
import { hash } from 'node:crypto'
import { BundleError } from './errors.ts'
import { type BundleFile, baseOf } from './files.ts'
import { hashedText } from './json.ts'

/** OPA knows MD5 and SHA-1 as well, which others can find a second file for. */
const algorithms: ReadonlyMap<string, string> = new Map([
  ['SHA-256', 'sha256'],
  ['SHA-384', 'sha384'],
  ['SHA-512', 'sha512'],
])

/** Lower-case hex. Throws `bundle_hash_refused`, and `bundle_json_refused` for a structured file that is no JSON. */
export function fileHash({ path, bytes }: BundleFile, algorithm: string): string {
  const name = algorithms.get(algorithm)
  if (name === undefined)
    throw new BundleError(
      'bundle_hash_refused',
      `the hash of \`${path}\` is \`${algorithm}\`: SHA-256, SHA-384 and SHA-512 count`,
    )
  return hash(name, isStructured(path) ? hashedText(path, bytes) : bytes)
}

/** These are hashed by what they say, all others by their bytes. YAML data is refused before (`bundle.ts`). */
function isStructured(path: string): boolean {
  return ['data.json', '.manifest'].includes(baseOf(path))
}
