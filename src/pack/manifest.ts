/** A workflow manifest, read and found in order. */
import { createHash } from 'node:crypto'
import type { Json } from '../model/canonical.ts'
import { messageOf } from '../model/errors.ts'
import type { Access, GatePhase, Stage, Status } from '../model/pack/words.ts'
import { type Diagnostic, Report } from '../policy/diagnostics.ts'
import { checkManifest } from '../policy/pack/manifest.ts'
import { type Node, plainOf, readSource } from '../policy/source.ts'
import { readText, start } from '../policy/text.ts'

/** As the forms of `policy/pack/manifest.ts` have found it. */
export interface Manifest {
  readonly schema_version: string
  readonly last_reviewed: string
  readonly required_gate_phases: readonly GatePhase[]
  readonly standards_alignment: readonly Readonly<Record<string, string>>[]
  readonly workflow_defaults: {
    readonly branch_prefix: string
    readonly required_pr_label?: string
    readonly human_review_required?: boolean
    readonly default_change_window?: string
    readonly max_open_prs_per_repo?: number
    readonly evidence_retention_days?: number
    readonly manual_review_required_for?: readonly string[]
  }
  readonly workflows: readonly ManifestWorkflow[]
}

export interface ManifestWorkflow {
  readonly id: string
  readonly title: string
  readonly status: Status
  readonly maturity_stage: Stage
  readonly content_path: string
  readonly public_path: string
  readonly owner: {
    readonly accountable_team: string
    readonly reviewer_pools?: readonly string[]
    readonly escalation: string
  }
  readonly eligible_findings: readonly string[]
  readonly default_agents: readonly string[]
  readonly automation_first: readonly string[]
  readonly mcp_context: readonly { readonly namespace: string; readonly access: Access; readonly purpose: string }[]
  readonly scope: {
    readonly allowed_paths: readonly string[]
    readonly forbidden_paths: readonly string[]
    readonly max_changed_files: number
    readonly max_diff_lines: number
  }
  readonly gates: Readonly<Record<GatePhase, readonly string[]>>
  readonly evidence: readonly {
    readonly id: string
    readonly source: string
    readonly retention: string
    readonly evidence_owner: string
  }[]
  readonly kpis: readonly { readonly id: string; readonly target: string }[]
  readonly kill_signals: readonly string[]
}

export interface ReadManifest {
  /** Only when no diagnostic is an error. */
  readonly manifest?: Manifest
  readonly diagnostics: readonly Diagnostic[]
}

/** A file as a plain value, whatever it holds. Never throws. */
export function readValue(file: string, bytes: Uint8Array): { value?: Json; diagnostics: readonly Diagnostic[] } {
  const report = new Report(file)
  const root = rootOf(bytes, report)
  const diagnostics = report.diagnostics()
  return root && !report.failed ? { value: plainOf(root), diagnostics } : { diagnostics }
}

/** Never throws on what a file can hold. */
export function readManifest(file: string, bytes: Uint8Array): ReadManifest {
  const report = new Report(file)
  const root = rootOf(bytes, report)
  if (root) checkManifest(root, report)
  const diagnostics = report.diagnostics()
  return root && !report.failed ? { manifest: plainOf(root) as unknown as Manifest, diagnostics } : { diagnostics }
}

function rootOf(bytes: Uint8Array, report: Report): Node | undefined {
  try {
    const text = readText(bytes, report)
    return text === undefined ? undefined : readSource(text, report)
  } catch (thrown) {
    report.error(start, 'unreadable', `the file cannot be read: ${messageOf(thrown)}`)
    return undefined
  }
}

/** The digest by which a pack names its manifest. A checkout may have changed its line ends: they do not count. */
export function manifestDigest(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
  return createHash('sha256').update(text.replaceAll('\r\n', '\n')).digest('hex')
}
