/** The policy a command was given: files with `-c`, layers with `--layer`. Mistakes go to stderr, all of them. */
import { TollgateError } from '../model/errors.ts'
import type { Diagnostic } from '../policy/diagnostics.ts'
import {
  filesOf,
  isLayerName,
  type LayerFiles,
  type LoadedSet,
  loadPolicySet,
  type PolicyChoice,
} from '../runtime/policySet.ts'
import { UsageError } from './exit.ts'
import { isJsonLog, log } from './log.ts'
import { type TrustOptions, trustNow } from './trustOptions.ts'

export interface PolicyOptions extends TrustOptions {
  readonly config?: readonly string[]
  readonly layer?: readonly string[]
}

/** Throws a `UsageError` for options that name no policy, or two. */
export function choiceOf({ config, layer, ...options }: PolicyOptions): PolicyChoice {
  if (config && layer) throw new UsageError('`-c` and `--layer` do not go together: give each policy as a layer')
  const trust = trustNow(options)
  if (config) return { files: config, ...(trust && { trust }) }
  if (layer) return { layers: layersOf(layer), ...(trust && { trust }) }
  throw new UsageError('the policy is missing: name its file with `-c FILE`, or layers with `--layer NAME=FILE`')
}

/** In the order in which their names come first; several files of one name are merged. */
function layersOf(written: readonly string[]): readonly LayerFiles[] {
  const layers = new Map<string, string[]>()
  for (const text of written) {
    const [, name = '', file = ''] = /^([^=]*)=(.*)$/s.exec(text) ?? []
    if (!isLayerName(name) || file === '')
      throw new UsageError(
        `\`--layer\` takes NAME=FILE, and a name has letters, digits, \`_\` and \`-\`, a letter first, got \`${text}\``,
      )
    layers.set(name, [...(layers.get(name) ?? []), file])
  }
  return [...layers].map(([name, files]) => ({ name, files }))
}

/** Throws `policy_invalid` after printing every mistake. */
export async function loadPolicy(choice: PolicyChoice): Promise<LoadedSet> {
  return withMistakesTold(filesOf(choice), () => loadPolicySet(choice))
}

function tellMistake({ file, line, col, severity, code, message }: Diagnostic, asText: string): void {
  if (isJsonLog()) log(severity === 'warning' ? 'warn' : 'error', message, { code, file, line, col })
  else process.stderr.write(`${asText}\n`)
}

/** Throws `policy_invalid` after printing every mistake. */
export async function withMistakesTold<T>(files: readonly string[], load: () => Promise<T>): Promise<T> {
  try {
    return await load()
  } catch (error) {
    const { PolicyError } = await import('../bundle/build.ts')
    if (!(error instanceof PolicyError)) throw error
    const { formatDiagnostic } = await import('../policy/diagnostics.ts')
    for (const diagnostic of error.diagnostics) tellMistake(diagnostic, formatDiagnostic(diagnostic))
    const wrong = files.filter((file) => error.diagnostics.some((one) => one.file === file && one.severity === 'error'))
    const named = wrong.map((file) => `\`${file}\``).join(', ')
    throw new TollgateError('policy_invalid', `${named} ${wrong.length === 1 ? 'has' : 'have'} mistakes`, {
      cause: error,
    })
  }
}
