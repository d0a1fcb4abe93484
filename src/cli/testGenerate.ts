/** `tollgate test --generate`: a first case file, from a policy or from what was recorded. */
import { dirname, relative, resolve } from 'node:path'
import { TollgateError } from '../model/errors.ts'
import type { RecordedEvent } from '../replay/event.ts'
import { filesOf, type LoadedSet, type PolicyChoice } from '../runtime/policySet.ts'
import { type Generated, generatedCases } from '../testing/generate/generate.ts'
import type { Recorded } from '../testing/generate/recorded.ts'
import { UsageError } from './exit.ts'
import { refuseFile, writeNewFile } from './newFile.ts'
import { choiceOf, loadPolicy, type PolicyOptions } from './policies.ts'
import { progressOn } from './progress.ts'

export interface GenerateOptions extends PolicyOptions {
  readonly output?: string
  readonly force?: true | undefined
  readonly from?: string | undefined
}

/** The policy is what stands behind the command, or `-c`, or `--layer`. */
export async function generateCases(files: readonly string[], options: GenerateOptions): Promise<void> {
  const { output, force } = options
  const choice = policyFor(files, options)
  const target = output === undefined ? undefined : { file: output, force: force === true }
  if (target) refuseFile(target)
  const loaded = await loadPolicy(choice)
  const seen = seenFrom(output, choice)
  const { from } = options
  const generated = from === undefined ? generatedCases(loaded, seen) : await fromRecords(from, loaded, seen)
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

/** Calls whose arguments are not kept whole cannot be made again. */
async function fromRecords(file: string, loaded: LoadedSet, policy: PolicyChoice): Promise<Generated> {
  const { casesOfRecorded } = await import('../testing/generate/recorded.ts')
  const recorded: Recorded[] = []
  let unkept = 0
  const take = (event: RecordedEvent) => {
    if (event.kind !== 'call' || event.isCheck) return
    const { call, at, arguments: args, hidden, decided } = event
    if (args.kept === 'whole' && hidden.length === 0)
      recorded.push({ call: { ...call, arguments: args.value }, timeMs: at, decided })
    else unkept++
  }
  await eventsOf(file, take)
  if (unkept > 0)
    process.stderr.write(`tollgate: ${unkept} recorded calls are left out: their arguments were not kept whole\n`)
  if (recorded.length === 0)
    throw new TollgateError('not_generated', `no call is recorded in \`${file}\` that could be made again`)
  return casesOfRecorded(recorded, loaded, policy)
}

async function eventsOf(named: string, take: (event: RecordedEvent) => void): Promise<void> {
  const { readDecisionEvents, readLedgerEvents, sourceOf } = await import('./replaySource.ts')
  const { file, kind } = sourceOf(named)
  const progress = progressOn(process.stderr, 'records')
  if (kind === 'ledger') readLedgerEvents(file, take, progress)
  else await readDecisionEvents(file, take, progress)
  progress.clear()
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
