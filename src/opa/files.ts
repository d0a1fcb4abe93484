/** The files of a bundle, and which of them OPA gives a meaning to by their names. */

export interface BundleFile {
  /** Without the leading `/` that OPA writes in archives, as signatures spell it. */
  readonly path: string
  readonly bytes: Uint8Array
}

export const manifestPath = '.manifest'
export const signaturesPath = '.signatures.json'
export const dataPath = 'data.json'
export const wasmPath = 'policy.wasm'

export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b
}

export function baseOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

/** What OPA takes a file for, wherever it lies. */
export type FileKind = 'rego' | 'data' | 'yaml-data' | 'wasm' | 'plan' | 'manifest' | 'signatures' | 'patch' | 'other'

const kinds: Readonly<Record<string, FileKind>> = {
  'data.json': 'data',
  'data.yaml': 'yaml-data',
  'data.yml': 'yaml-data',
  'policy.wasm': 'wasm',
  'plan.json': 'plan',
  'plan.pb': 'plan',
  'patch.json': 'patch',
}

export function kindOf(path: string): FileKind {
  const base = baseOf(path)
  if (base.endsWith('.rego')) return 'rego'
  // Versions of OPA differ in whether any name that ends so is meant, or the whole name: so it is one file for all of them.
  if (base.endsWith('signatures.json')) return 'signatures'
  if (base.endsWith('.manifest') || base.endsWith('.manifest.pb')) return 'manifest'
  return Object.hasOwn(kinds, base) ? (kinds[base] as FileKind) : 'other'
}
