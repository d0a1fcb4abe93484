/** `tollgate convert`: a policy of another language, written in the native one. */
import { toNative } from '../convert/convert.ts'
import { TollgateError } from '../model/errors.ts'
import { formatDiagnostic } from '../policy/diagnostics.ts'
import { readPolicyFile } from '../runtime/policyFile.ts'
import { refuseFile, writeNewFile } from './newFile.ts'

export interface ConvertOptions {
  readonly to: 'native'
  readonly output?: string
  readonly force?: true
}

export function convert(file: string, { output, force }: ConvertOptions): void {
  const target = output === undefined || output === '-' ? undefined : { file: output, force: force === true }
  if (target) refuseFile(target)
  const { text, diagnostics } = toNative(file, readPolicyFile(file))
  for (const diagnostic of diagnostics) process.stderr.write(`${formatDiagnostic(diagnostic)}\n`)
  if (text === undefined)
    throw new TollgateError('not_converted', `\`${file}\` has mistakes, or says what the native language cannot say`)
  if (target) writeNewFile(target, text)
  else process.stdout.write(text)
}
