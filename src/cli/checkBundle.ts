/** What is wrong with a bundle: why it is refused, or whatever its sources make one say of any policy file. */
import { PolicyError } from '../bundle/errors.ts'
import { messageOf, TollgateError } from '../model/errors.ts'
import { mergePolicies } from '../policy/merge.ts'
import { openBundleFile, type TrustNow } from '../runtime/bundleFile.ts'
import type { CheckedFile, CheckedPolicy, CheckPorts } from './checkFile.ts'

/** A file for each source, by the name that it has in the bundle. */
export async function checkBundle(
  bundle: string,
  bytes: Uint8Array,
  trust: TrustNow | undefined,
  { review }: CheckPorts,
): Promise<CheckedPolicy> {
  try {
    const { artifact } = await openBundleFile(bundle, bytes, trust)
    const { policy } = artifact
    // There is nothing to say of Rego of others but that it is one that can be asked.
    if (policy.strategy === 'rego') return { files: [{ file: bundle, text: '', diagnostics: [] }], policy }
    const named = artifact.sources.map((source) => ({ ...source, file: `${bundle}:${source.name}` }))
    const beside = (name: string) => named.find((source) => source.beside && source.name === name)?.text ?? ''
    const parts = named.filter((source) => !source.beside)
    const merged = mergePolicies(parts.map(({ file, text }) => ({ file, text, beside })))
    if (merged.policy) review?.(merged.policy, merged.report)
    const diagnostics = merged.diagnostics()
    const files = parts.map(({ file, text }) => ({
      file,
      text,
      diagnostics: diagnostics.filter((one) => one.file === file),
    }))
    return { files, policy }
  } catch (error) {
    return { files: [refused(bundle, error)] }
  }
}

function refused(file: string, error: unknown): CheckedFile {
  if (error instanceof PolicyError)
    return { file, text: '', diagnostics: error.diagnostics.map((one) => ({ ...one, file: `${file}:${one.file}` })) }
  if (!(error instanceof TollgateError)) throw error
  // The line names the file already.
  const why = messageOf(error).replace(`\`${file}\`: `, '')
  const message = `the bundle is refused: ${why} (${error.code})`
  return {
    file,
    text: '',
    diagnostics: [{ file, line: 1, col: 1, severity: 'error', code: 'bundle_refused', message }],
  }
}
