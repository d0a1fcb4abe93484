/** `tollgate check`: every mistake of every file at once, each for itself or as the one policy that they are to be. */
import type { Layers, Policy } from '../model/policy.ts'
import type { Diagnostic, Report } from '../policy/diagnostics.ts'
import type { Scan } from '../scan/definition.ts'
import { type CheckedFile, type CheckedPolicy, checkPolicy } from './checkFile.ts'
import { comparedLists, type ServerOptions } from './checkServer.ts'
import { diagnosticText } from './checkText.ts'
import { exitCodes, UsageError } from './exit.ts'
import { choiceOf, type PolicyOptions } from './policies.ts'
import { paint } from './terminal.ts'
import { trustNow } from './trustOptions.ts'

export interface CheckOptions extends ServerOptions, PolicyOptions {
  readonly format: 'text' | 'json' | 'sarif'
  readonly strict?: true
  /** The settings of a gate. */
  readonly settings?: string
}

/** `command` starts a server to compare the policies with. */
export async function check(
  files: readonly string[],
  command: readonly string[],
  options: CheckOptions,
): Promise<void> {
  const wanted = policiesIn(files, options)
  const { format, strict, server } = options
  const { lists, failure } = await comparedLists(command, options).then(
    (found) => ({ lists: found, failure: undefined }),
    (error: unknown) => ({ lists: undefined, failure: error }),
  )
  // What is wrong with the files is worth knowing without the server.
  if (failure instanceof UsageError) throw failure
  const review = lists && (await reviewOf(lists, server))
  const policies: CheckedPolicy[] = []
  const trust = trustNow(options)
  const ports = { ...(review && { review: review.review }), ...(trust && { trust }) }
  for (const one of wanted) policies.push(await checkPolicy(one.files, ports))
  const settings = options.settings === undefined ? [] : [await checkedSettings(options.settings)]
  const checked = [...policies.flatMap((policy) => policy.files), ...settings]
  const found = checked.flatMap(({ diagnostics }) => diagnostics)
  const errors = found.filter(({ severity }) => severity === 'error').length
  const warnings = found.length - errors
  process.stdout.write(await printed(format, checked, found))
  if (review && review.skipped() > 0) process.stderr.write(`${skippedSentence(review.skipped())}\n`)
  if (format === 'text') process.stderr.write(`${summary(checked.length, errors, warnings)}\n`)
  process.exitCode = errors > 0 || (strict && warnings > 0) ? exitCodes.wrong : exitCodes.fine
  if (failure !== undefined) throw failure
  await requireLayers(wanted, policies)
}

async function checkedSettings(file: string): Promise<CheckedFile> {
  const { readSettings } = await import('./settingsFile.ts')
  const { text, mistakes } = readSettings(file)
  return { file, text, diagnostics: mistakes }
}

interface Wanted {
  readonly layer?: string
  /** The first is the base. */
  readonly files: readonly string[]
}

function policiesIn(files: readonly string[], options: CheckOptions): readonly Wanted[] {
  if (!options.config && !options.layer) {
    if (files.length === 0 && options.settings !== undefined) return []
    if (files.length === 0) throw new UsageError('the policy files are missing: name them before `--`')
    return [...new Set(files)].map((file) => ({ files: [file] }))
  }
  if (files.length > 0)
    throw new UsageError(
      `a file is checked alone, or with others after \`-c\` or \`--layer\`: say so of \`${files[0]}\` too`,
    )
  const choice = choiceOf(options)
  return 'files' in choice ? [choice] : choice.layers.map(({ name, files }) => ({ layer: name, files }))
}

/** Throws `layers_invalid` where the layers, each without a mistake, cannot stand together. */
async function requireLayers(wanted: readonly Wanted[], policies: readonly CheckedPolicy[]): Promise<void> {
  const layers = wanted.flatMap(({ layer }, index): Layers['layers'] => {
    const policy = policies[index]?.policy
    return layer !== undefined && policy ? [{ name: layer, policy }] : []
  })
  if (layers.length === 0 || layers.length < wanted.length) return
  const { requireSound } = await import('../runtime/policySet.ts')
  requireSound({ layers })
}

async function reviewOf(scan: Scan, server: string | undefined) {
  const { reportMissing } = await import('../scan/missing.ts')
  let skipped = 0
  const review = (policy: Policy, report: Report) => {
    skipped += reportMissing(policy, scan, server, report).skipped
  }
  return { review, skipped: () => skipped }
}

function skippedSentence(count: number): string {
  const are = count === 1 ? '1 entry is' : `${count} entries are`
  return `${are} about a server by its name and not compared: say with \`--server\` which one this is`
}

async function printed(
  format: CheckOptions['format'],
  checked: readonly CheckedFile[],
  found: readonly Diagnostic[],
): Promise<string> {
  switch (format) {
    case 'text':
      return checked.map(textOf).join('')
    case 'json':
      return `${JSON.stringify(found, null, 2)}\n`
    case 'sarif': {
      const { sarifLog } = await import('./checkSarif.ts')
      const { version } = await import('../runtime/version.ts')
      return `${JSON.stringify(sarifLog(found, { version, folder: process.cwd() }), null, 2)}\n`
    }
  }
  return format satisfies never
}

/** Where nothing says how wide the reader's window is. */
const widthOtherwise = 120

function textOf({ text, diagnostics }: CheckedFile): string {
  if (diagnostics.length === 0) return ''
  const { stdout } = process
  const lines = text.split(/\r?\n/)
  const options = {
    width: (stdout.isTTY && stdout.columns) || widthOtherwise,
    paint: (colour: Parameters<typeof paint>[0], part: string) => paint(colour, part, stdout),
  }
  return diagnostics.map((diagnostic) => `${diagnosticText(diagnostic, lines, options)}\n\n`).join('')
}

function summary(files: number, errors: number, warnings: number): string {
  const counted = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`
  return `${counted(files, 'file')}, ${counted(errors, 'error')}, ${counted(warnings, 'warning')}`
}
