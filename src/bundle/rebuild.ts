/** Is the WASM of a bundle what the compiler makes of its Rego? Compiled again, and compared byte for byte: nothing is taken from the cache. */
import { hash } from 'node:crypto'
import { openCompiler } from '../compile/compiler.ts'
import { compilerFolder, readIdentity } from '../compile/module.ts'
import { TollgateError } from '../model/errors.ts'
import type { Artifact } from './artifact.ts'
import type { OpenedBundle } from './open.ts'
import { isCompiledHere } from './rego.ts'

/** Throws `bundle_rebuild_differs`, `bundle_foreign`, or what the compiler throws. */
export async function rebuilt({ artifact, metadata }: OpenedBundle): Promise<void> {
  if (!metadata) throw new TollgateError('bundle_foreign', foreignText(artifact))
  await using compiler = await openCompiler()
  const { modules, data, entrypoint } = artifact
  const { wasm } = await compiler.build({ modules, data: data as Record<string, unknown>, entrypoints: [entrypoint] })
  if (hash('sha256', wasm) === artifact.wasmDigest) return
  const { opa, digest } = readIdentity(compilerFolder)
  const other =
    metadata.compiler.digest === digest
      ? ''
      : `: it says it is by another compiler, of OPA ${metadata.compiler.opa}, and this one is of ${opa}`
  throw new TollgateError(
    'bundle_rebuild_differs',
    `the module of the bundle is not what the compiler makes of its Rego${other}`,
  )
}

function foreignText(artifact: Artifact): string {
  if (isCompiledHere(artifact))
    return 'there is no module in the bundle that could differ from its Rego, which is compiled when it is loaded: verify it without `--rebuild`'
  return 'the bundle was not built by Tollgate: `opa build -t wasm` leaves out of the Rego what it puts into the module, so that it cannot be compiled again'
}
