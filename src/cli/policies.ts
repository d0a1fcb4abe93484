/** Loads the policy a command was given; mistakes go to stderr, all of them. */
import type { Artifact } from '../bundle/artifact.ts'
import { TollgateError } from '../model/errors.ts'
import { loadPolicyFile } from '../runtime/policyFile.ts'

/** Throws `policy_invalid` after printing every mistake. */
export async function loadPolicy(file: string): Promise<Artifact> {
  try {
    return await loadPolicyFile(file)
  } catch (error) {
    const { PolicyError } = await import('../bundle/build.ts')
    if (!(error instanceof PolicyError)) throw error
    const { formatDiagnostic } = await import('../policy/diagnostics.ts')
    for (const diagnostic of error.diagnostics) process.stderr.write(`${formatDiagnostic(diagnostic)}\n`)
    throw new TollgateError('policy_invalid', `\`${file}\` has mistakes`, { cause: error })
  }
}
