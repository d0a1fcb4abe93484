/** `tollgate test --generate`: a first case file, from a policy or from what was recorded. */
import { dirname, relative, resolve } from 'node:path'
import { filesOf, type PolicyChoice } from '../runtime/policySet.ts'
import { generatedCases } from '../testing/generate/generate.ts'
import { UsageError } from './exit.ts'
import { refuseFile, writeNewFile } from './newFile.ts'
import { choiceOf, loadPolicy, type PolicyOptions } from './policies.ts'

export interface GenerateOptions extends PolicyOptions {
  readonly output?: string
  readonly force?: true
  readonly from?: string
}

/** The policy is what stands behind the command, or `-c`, or `--layer`. */
export async function generate(files: readonly string[], options: GenerateOptions): Promise<void> {
  const { output, force } = options
  const choice = policyFor(files, options)
  const target = output === undefined ? undefined : { file: output, force: force === true }
  if (target) refuseFile(target)
  const loaded = await loadPolicy(choice)
  const generated = generatedCases(loaded, seenFrom(output, choice))
  if (target) writeNewFile(target, generated.text)
  else process.stdout.write(generated.text)
  const missed = generated.missed.length === 0 ? '' : `, ${generated.missed.length} left to you: they stand at its top`
  const cases = generated.count === 1 ? '1 case' : `${generated.count} cases`
  process.stderr.write(
    `${cases} of ${filesOf(choice)
      .map((file) => `\`${file}\``)
      .join(', ')}${missed}\n`,
  )
}

function policyFor(files: readonly string[], options: GenerateOptions): PolicyChoice {
  if (files.length === 0) return choiceOf(options)
  if (options.config || options.layer)
    throw new UsageError('name the policy behind `--generate`, or with `-c` or `--layer`, not both')
  return { files }
}

/** Policies are looked for beside the case file. */
function seenFrom(output: string | undefined, choice: PolicyChoice): PolicyChoice {
  const folder = output === undefined ? '.' : dirname(output)
  const seen = (file: string) => relative(resolve(folder), resolve(file)).replaceAll('\\', '/')
  if ('files' in choice) return { files: choice.files.map(seen) }
  return { layers: choice.layers.map(({ name, files }) => ({ name, files: files.map(seen) })) }
}
