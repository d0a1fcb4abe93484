/** Policies as their files say them: with the places of their parts, which a compiled policy has lost. */
import type { Place, Policy, PolicySet } from '../model/policy.ts'
import { needsModel } from '../model/rego.ts'
import { isGzip } from '../opa/files.ts'
import { mergePolicies } from '../policy/merge.ts'
import type { PolicySource } from '../policy/parse.ts'
import { loadPolicyFiles, readBeside, readPolicyFile } from '../runtime/policyFile.ts'
import type { PolicyChoice } from '../runtime/policySet.ts'

export interface Written {
  readonly policy: Policy
  /** Where the smallest of these parts stands whose place is known; of none of them, where the file says its default. */
  placeOf(parts: readonly object[]): Place
  /** Does a rule or an entry decide nothing, as `check` warns? */
  isIdle(part: object): boolean
}

export interface WrittenLayer {
  readonly name: string
  readonly written: Written
}

/** One policy, or layers in their order. */
export type WrittenSet = Written | readonly WrittenLayer[]

/** Files that were loaded without a mistake. Throws what `loadPolicySet` throws. */
export async function writtenSet(choice: PolicyChoice): Promise<WrittenSet> {
  if ('files' in choice) return readWritten(choice.files, choice.trust)
  const layers = choice.layers.map(async ({ name, files }) => ({
    name,
    written: await readWritten(files, choice.trust),
  }))
  return Promise.all(layers)
}

export function isLayeredSet(set: WrittenSet): set is readonly WrittenLayer[] {
  return Array.isArray(set)
}

export function policyOf(set: WrittenSet): PolicySet {
  if (!isLayeredSet(set)) return set.policy
  return { layers: set.map(({ name, written }) => ({ name, policy: written.policy })) }
}

async function readWritten(files: readonly string[], trust: PolicyChoice['trust']): Promise<Written> {
  const [first = ''] = files
  if (isGzip(readPolicyFile(first))) return readBundled(first, trust)
  return writtenOf(files.map((file) => ({ file, text: readPolicyFile(file), beside: readBeside(file) })))
}

/** A bundle holds the files that it was made of: they are called as if it were their folder. */
async function readBundled(bundle: string, trust: PolicyChoice['trust']): Promise<Written> {
  const { sources, policy } = await loadPolicyFiles([bundle], trust && { trust })
  if (policy.strategy === 'rego') throw needsModel(policy, 'coverage, and `--mutate`,')
  const beside = (name: string) => sources.find((source) => source.beside && source.name === name)?.text ?? ''
  const files = sources.filter((source) => !source.beside)
  return writtenOf(files.map(({ name, text }) => ({ file: `${bundle}/${name}`, text, beside })))
}

/** The names of the files become those of the places. */
export function writtenOf(sources: readonly PolicySource[]): Written {
  const { policy, report, diagnostics } = mergePolicies(sources)
  const [first] = sources
  if (!policy || !first) throw new TypeError('the files are no policy')
  const start = { file: first.file, line: lineOfDefault(first.text), col: 1 }
  const idle = new Set(
    diagnostics().flatMap(({ code, file, line, col }) =>
      code === 'unreachable' || code === 'shadowed' ? [placeText({ file, line, col })] : [],
    ),
  )
  const ownPlace = (part: object): Place | undefined => ('place' in part ? (part.place as Place) : undefined)
  return {
    policy,
    placeOf(parts) {
      for (const part of parts) {
        const spot = report.placeOf(part)
        if (spot) return { file: spot.file ?? report.file, line: spot.line, col: spot.col }
        const own = ownPlace(part)
        if (own) return own
      }
      return start
    },
    isIdle(part) {
      const own = ownPlace(part)
      return own !== undefined && idle.has(placeText(own))
    },
  }
}

function placeText({ file, line, col }: Place): string {
  return `${file}:${line}:${col}`
}

function lineOfDefault(text: string | Uint8Array): number {
  const lines = Buffer.from(text as Uint8Array)
    .toString('utf8')
    .split('\n')
  const at = lines.findIndex((line) =>
    /^[\s{,]*["']?(?:default|defaults|allowlist|workflow_policies)["']?\s*:/.test(line),
  )
  return at === -1 ? 1 : at + 1
}
