/** Plays the cases of a policy against its mutants, and tells which of them no case notices. */
import type { Target } from '../../model/match.ts'
import type { Place, PolicySet } from '../../model/policy.ts'
import type { ActiveLayers, ActivePolicy } from '../../pep/active.ts'
import { searchesMsMax, searchMsMax } from '../limits.ts'
import { referenceOf } from '../reference.ts'
import { policyOf, type WrittenSet } from '../written.ts'
import { type Baseline, baselineOf } from './baseline.ts'
import { type Concerns, concernsOf } from './concerns.ts'
import { mutantsOf } from './mutants.ts'
import { type Sought, seek, type Witness } from './witness.ts'

/** A case, as far as a mutant has to do with it. */
export interface Trial {
  readonly name: string
  /** What its calls and its lists are about. */
  readonly targets: readonly Target[]
  /** It looks at what a list shows, too. */
  readonly hasLists: boolean
  /** Is everything as the case expects? */
  passes(active: ActivePolicy | ActiveLayers): boolean
}

export interface Tried {
  /** A call by which a case would have noticed it, where one was found. */
  readonly witness?: Witness
  readonly place: Place
  /** What was changed, in words. */
  readonly change: string
  readonly isNoticed: boolean
}

/** The mutants of one policy. */
export interface MutationRun {
  readonly tried: readonly Tried[]
  /** Changes that are not counted, because no decision can come out otherwise by them. */
  readonly equivalent: number
}

export type Progress = (done: number, of: number) => void

/** All of these pass with the policy as it is. Throws where the reference evaluator decides one of them otherwise. */
export function tryMutants(set: WrittenSet, trials: readonly Trial[], progress: Progress = () => {}): MutationRun {
  const policy = policyOf(set)
  const asWritten = referenceOf(policy)
  const known = trials.map((trial) => ({ trial, baseline: baselineOf(trial, asWritten) }))
  const other = known.find(({ baseline }) => !baseline.passes)?.trial
  if (other) throw new Error(`the reference evaluator does not decide \`${other.name}\` as the compiled policy does`)
  const { mutants, equivalent } = mutantsOf(set)
  const timeUpMs = workedMs() + searchesMsMax
  const tried = mutants.flatMap(({ place, change, policy: mutant, isOfIdle }, index): readonly Tried[] => {
    progress(index, mutants.length)
    const noticed = { place, change, isNoticed: isNoticed(referenceOf(mutant), known, concernsOf(policy, mutant)) }
    if (noticed.isNoticed && !isOfIdle) return [noticed]
    const witness = sought(policy, mutant, timeUpMs)
    if (witness === 'none' || (isOfIdle && !witness)) return []
    return [{ ...noticed, ...(witness && { witness }) }]
  })
  return { tried, equivalent: equivalent.length + mutants.length - tried.length }
}

function sought(policy: PolicySet, mutant: PolicySet, timeUpMs: number): Sought {
  const endMs = Math.min(timeUpMs, workedMs() + searchMsMax)
  return workedMs() < endMs ? seek(policy, mutant, () => workedMs() >= endMs) : undefined
}

/** Processor time: what is found, and so the score, does not depend on what else the machine does. */
function workedMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}

interface Known {
  readonly trial: Trial
  readonly baseline: Baseline
}

/** Most cases have nothing to do with a mutant, which is told without playing them. */
function isNoticed(mutant: ActivePolicy | ActiveLayers, known: readonly Known[], concerns: Concerns): boolean {
  const touched = known.filter(({ trial }) => trial.targets.some(concerns))
  return touched.some(({ trial, baseline }) => !baseline.isAsBefore(mutant) && !trial.passes(mutant))
}

export interface Mutation {
  readonly mutants: number
  readonly noticed: number
  /** The share that was noticed, from 0 to 1 and rounded down: 1 is all of them. 1 where there was nothing to notice. */
  readonly score: number
  readonly equivalent: number
  readonly survivors: readonly Survivor[]
}

export type Survivor = Omit<Tried, 'isNoticed'>

/** Of all policies. A file may be part of several of them: its mutant is noticed where one of them notices. */
export function mutationOf(runs: readonly MutationRun[]): Mutation {
  const groups = [
    ...Map.groupBy(
      runs.flatMap(({ tried }) => numbered(tried)),
      ({ key }) => key,
    ).values(),
  ]
  const survivors = groups
    .filter((group) => !group.some(({ isNoticed }) => isNoticed))
    .flatMap((group) => group.slice(0, 1).map(({ key: _, isNoticed: __, ...survivor }) => survivor))
  const noticed = groups.length - survivors.length
  return {
    mutants: groups.length,
    noticed,
    score: groups.length === 0 ? 1 : Math.floor((noticed / groups.length) * 1_000) / 1_000,
    equivalent: runs.reduce((sum, { equivalent }) => sum + equivalent, 0),
    survivors: survivors.sort((a, b) => order(a.place, b.place)),
  }
}

/** By place and words, and of those that are alike by their order. */
function numbered(tried: readonly Tried[]): readonly (Tried & { readonly key: string })[] {
  const seen = new Map<string, number>()
  return tried.map((one) => {
    const { file, line, col } = one.place
    const alike = JSON.stringify([file, line, col, one.change])
    const number = (seen.get(alike) ?? 0) + 1
    seen.set(alike, number)
    return { ...one, key: `${number} ${alike}` }
  })
}

function order(a: Place, b: Place): number {
  if (a.file !== b.file) return a.file < b.file ? -1 : 1
  return a.line - b.line || a.col - b.col
}
