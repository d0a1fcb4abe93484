/** A policy pack as it is judged by: one row a workflow. */
import type { Path, Place, PolicyHead, TargetPattern } from '../policy.ts'
import type { ClaimsMapping } from './claims.ts'
import type { Access, GatePhase, Stage, Status, Variant } from './words.ts'

/** The run of a workflow is registered by its host; what the pack says of that workflow decides. */
export interface PackPolicy extends PolicyHead {
  readonly strategy: 'pack'
  readonly language: 'pack'
  /** SHA-256 of the pack file. Every decision carries it. */
  readonly sha256: string
  /** SHA-256 of the manifest that the pack was made of, as the pack says. */
  readonly manifestSha256: string
  /** In which of these a workflow may act at all. */
  readonly statuses: readonly Status[]
  readonly stages: readonly Stage[]
  /** Changes that a person has to approve, whichever workflow makes them. */
  readonly manualReview: readonly string[]
  /** Changes that need no person, where the operator lists them: then a write has to say which it is. */
  readonly routineChanges?: readonly string[]
  readonly workflows: readonly Workflow[]
  /** What tools do, where the operator says it. Absent: the registration of each call does. */
  readonly tools?: readonly ToolBinding[]
  /** Attributes that the claims of the caller's token say, and nothing else. */
  readonly claims?: ClaimsMapping
}

export interface Workflow {
  readonly id: string
  readonly status: Status
  readonly stage: Stage
  readonly agents: readonly string[]
  readonly scopes: readonly ToolScope[]
  readonly branchPrefix: string
  readonly allowedPaths: readonly string[]
  readonly forbiddenPaths: readonly string[]
  readonly maxChangedFiles: number
  readonly maxDiffLines: number
  /** The phases it declares, each with the records that what is written there stands on. */
  readonly phases: readonly { readonly phase: GatePhase; readonly evidence: readonly string[] }[]
  readonly place: Place
}

export interface ToolScope {
  readonly namespace: string
  readonly access: Access
  /** The pack's word for what it earns. */
  readonly variant: Variant
  readonly needsApproval: boolean
}

/** What a tool does, and which of its arguments say so. Facts about the act alone: who acts is the host's to say. */
export interface ToolBinding {
  /** As written in the file. */
  readonly key: string
  readonly match: readonly TargetPattern[]
  readonly namespace: string
  readonly access: Access
  /** The argument that names the branch. */
  readonly branch?: Path
  /** Arguments that name the files it changes; a list is looked through. */
  readonly paths: readonly Path[]
  /** Arguments that hold the new text of those files: their lines are counted. */
  readonly content: readonly Path[]
  readonly place: Place
}
