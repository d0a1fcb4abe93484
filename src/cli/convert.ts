/** `tollgate convert`: a policy of another language, written in the native one. */
import { toNative } from '../convert/convert.ts'
import { TollgateError } from '../model/errors.ts'
import { formatDiagnostic } from '../policy/diagnostics.ts'
import { readPolicyFile } from '../runtime/policyFile.ts'
import { UsageError } from './exit.ts'
import { refuseFile, writeNewFile } from './newFile.ts'

export interface ConvertOptions {
  readonly to: 'native'
  readonly output?: string
  readonly force?: true
}

export function convert([file = '', ...others]: readonly string[], { output, force }: ConvertOptions): void {
  // What each file says stays in its own: merged, they would lose the comments that say why, and the base its name.
  if (others.length > 0)
    throw new UsageError(
      'a file at a time is converted: convert each of them, and give the results to `-c` in the same order, which merges them as it merges these',
    )
  const target = output === undefined || output === '-' ? undefined : { file: output, force: force === true }
  if (target) refuseFile(target)
  const { text, diagnostics } = toNative(file, readPolicyFile(file))
  for (const diagnostic of diagnostics) process.stderr.write(`${formatDiagnostic(diagnostic)}\n`)
  if (text === undefined)
    throw new TollgateError('not_converted', `\`${file}\` has mistakes, or says what the native language cannot say`)
  if (target) writeNewFile(target, text)
  else process.stdout.write(text)
}
