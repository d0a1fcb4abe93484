/** What flags, variables and the file of settings say together: a flag wins over its variable, that over the file. */
import type { Command } from 'commander'
import { TollgateError } from '../model/errors.ts'
import { formatDiagnostic, oneOf, Report } from '../policy/diagnostics.ts'
import type { Node } from '../policy/source.ts'
import { nearest } from '../policy/spelling.ts'
import { start } from '../policy/text.ts'
import { UsageError } from './exit.ts'
import { Mistakes } from './mistakes.ts'
import { collected } from './options.ts'
import { type GateSettings, readSettings } from './settingsFile.ts'
import { settingsEntries, variableOf } from './settingsOptions.ts'

export interface Settled<O> {
  readonly options: O
  readonly command: readonly string[]
  readonly settings: GateSettings
  readonly mistakes: Mistakes
  /** Sentences about what is odd and no mistake. */
  readonly warnings: readonly string[]
  /** A value was wrong and is left out: what seems to be missing may be that. */
  readonly isPartial: boolean
}

type Said = ReadonlyMap<string, readonly string[]>

/** Of two that stand for each other one counts: whoever names one of them says that the other is not wanted. */
const instead: readonly (readonly string[])[] = [
  ['config', 'layer', 'bundle', 'discovery'],
  ['upstream', 'command'],
]

/** `parsed` is the command with the flags as they stood, and `words` is what stood behind them. */
export function settled<O extends object>(parsed: Command, flags: O, words: readonly string[]): Settled<O> {
  const mistakes = new Mistakes()
  const { environment, faults } = inVariables(parsed)
  for (const fault of faults) mistakes.add(new UsageError(fault))
  const chosen = new Map<string, readonly string[]>()
  const isTaken = (option: string) =>
    (instead.find((group) => group.includes(option)) ?? [option]).some(
      (one) => chosen.has(one) || parsed.getOptionValueSource(one) === 'cli' || (one === 'command' && words.length > 0),
    )
  take(environment, isTaken, chosen)
  const file = (flags as { settings?: string }).settings ?? chosen.get('settings')?.[0]
  const read = file === undefined ? undefined : mistakes.of(() => readSettings(file))
  for (const diagnostic of read?.mistakes ?? [])
    mistakes.add(new TollgateError('settings_invalid', formatDiagnostic(diagnostic)))
  take(read?.options ?? new Map(), isTaken, chosen)
  return {
    options: { ...flags, ...optionsOf(chosen, parsed) },
    command: chosen.get('command') ?? words,
    // Of settings with mistakes nothing else is said: it would be fallout.
    settings: read && read.mistakes.length === 0 ? read.settings : { credentials: [] },
    mistakes,
    warnings: unknownVariables(),
    isPartial: faults.length > 0 || (file !== undefined && (read === undefined || read.mistakes.length > 0)),
  }
}

/** What is taken already stays; what comes together goes together. */
function take(said: Said, isTaken: (option: string) => boolean, chosen: Map<string, readonly string[]>): void {
  const free = [...said].filter(([option]) => !isTaken(option))
  for (const [option, words] of free) chosen.set(option, words)
}

function optionsOf(chosen: Said, parsed: Command): Readonly<Record<string, string | readonly string[]>> {
  const several = optionsIn(parsed)
  const given = [...chosen].filter(([option]) => several.has(option))
  return Object.fromEntries(
    given.map(([option, words]) => [option, several.get(option) ? words : (words[0] as string)]),
  )
}

/** The options that the command has, and whether each may stand several times. */
function optionsIn(parsed: Command): ReadonlyMap<string, boolean> {
  return new Map(parsed.options.map((option) => [option.attributeName(), option.parseArg === collected]))
}

/** The variables of these options; those that may stand several times have commas between them. An empty one says nothing. */
function inVariables(parsed: Command): { readonly environment: Said; readonly faults: readonly string[] } {
  const several = optionsIn(parsed)
  const environment = new Map<string, readonly string[]>()
  const faults: string[] = []
  for (const [key, { option, inVariable }] of settingsEntries) {
    const said = process.env[variableOf(key)]
    if (!inVariable || !several.has(option) || said === undefined || said === '') continue
    const report = new Report(variableOf(key))
    const words = (several.get(option) ? said.split(',') : [said]).filter((word) => word !== '')
    for (const word of words) inVariable.read(nodeOf(word), `\`$${variableOf(key)}\``, report)
    if (report.failed) faults.push(...report.diagnostics().map(({ message }) => message))
    else if (words.length > 0) environment.set(option, words)
  }
  return { environment, faults }
}

/** A word as the forms of the file read it. */
function nodeOf(word: string): Node {
  return { kind: 'scalar', at: start, size: 1, height: 1, value: word, text: word, plain: false }
}

/** Variables that Kubernetes sets for a service called `tollgate`, and those of development. */
const others = /^TOLLGATE_(?:SERVICE_|PORT$|PORT_|CACHE_DIR$|TEST_|DIFFERENTIAL_)/

function unknownVariables(): readonly string[] {
  const known = settingsEntries.flatMap(([key, { inVariable }]) => (inVariable ? [variableOf(key)] : []))
  return Object.keys(process.env)
    .filter((name) => name.startsWith('TOLLGATE_') && !known.includes(name) && !others.test(name))
    .sort()
    .map((name) => {
      const near = nearest(name, known)
      return `warning: no option has the variable ${oneOf([`$${name}`])}${near === undefined ? '' : `, did you mean ${oneOf([`$${near}`])}?`}`
    })
}
