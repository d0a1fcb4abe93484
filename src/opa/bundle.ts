/** The bytes of a bundle to its files and its manifest. Nothing is believed yet: `verify.ts` says who signed what. */
import { unpack } from './archive.ts'
import { BundleError } from './errors.ts'
import { type BundleFile, kindOf, manifestPath, signaturesPath } from './files.ts'
import { invalid, isBelow, type Manifest, noManifest, readManifest } from './manifest.ts'

export interface Bundle {
  /** In the order of the archive, with manifest and signatures. */
  readonly files: readonly BundleFile[]
  readonly manifest: Manifest
}

/** Throws a `BundleError` for what is no bundle, or one that OPA and we could understand differently. */
export async function readBundle(bytes: Uint8Array): Promise<Bundle> {
  return bundleOf(await unpack(bytes))
}

export function bundleOf(files: readonly BundleFile[]): Bundle {
  for (const { path } of files) requireKnown(path)
  const file = fileAt(files, manifestPath)
  const manifest = file ? readManifest(file.bytes) : noManifest
  for (const { module, entrypoint } of manifest.wasm) {
    if (!module.startsWith('/') || !fileAt(files, module.slice(1)))
      throw invalid(`it names the module \`${module}\`, which the bundle does not have`)
    if (!manifest.roots.some((root) => isBelow(entrypoint, root)))
      throw invalid(`the entrypoint \`${entrypoint}\` is outside of its roots`)
  }
  return { files, manifest }
}

export function fileAt(files: readonly BundleFile[], path: string): BundleFile | undefined {
  return files.find((file) => file.path === path)
}

/** OPA looks at the ends of names: a file that only looks like one of its own would be read as that by some version of it. */
function requireKnown(path: string): void {
  switch (kindOf(path)) {
    case 'patch':
      throw new BundleError('bundle_delta_refused', `\`${path}\` makes it a delta bundle, which carries no signature`)
    case 'manifest':
      if (path !== manifestPath) throw odd(path, `a manifest, and the one that counts is \`${manifestPath}\``)
      return
    case 'signatures':
      if (path !== signaturesPath) throw odd(path, `signatures, and those that count are \`${signaturesPath}\``)
      return
    case 'yaml-data':
      throw odd(path, 'data in YAML, whose hash depends on the parser: write it as `data.json`')
    case 'data':
    case 'rego':
    case 'wasm':
    case 'plan':
    case 'other':
  }
}

function odd(path: string, what: string): BundleError {
  return new BundleError('bundle_entry_refused', `\`${path}\` would be read as ${what}`)
}
