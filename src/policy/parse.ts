/** The front door of the policy languages: the text of a file becomes one closed, frozen policy, or all its mistakes. */
import { hash } from 'node:crypto'
import { messageOf } from '../model/errors.ts'
import type { ModelledPolicy } from '../model/policy.ts'
import { companionOf, isAegis } from './aegis/companions.ts'
import { aegisKeys, readAegis } from './aegis/policy.ts'
import { type Diagnostic, formatDiagnostic, oneOf, Report } from './diagnostics.ts'
import { deepFreeze } from './freeze.ts'
import { guardKeys, readGuard } from './guard.ts'
import { isHosted, languageOf } from './intercept/detect.ts'
import { readIntercept } from './intercept/policy.ts'
import { policyKeys, readNative } from './native/policy.ts'
import { readPack } from './pack/policy.ts'
import { type Beside, readSettings } from './pack/settings.ts'
import { type MapNode, type Node, readSource } from './source.ts'
import { nearest } from './spelling.ts'
import { readText, start } from './text.ts'
import { reportUnwanted } from './warnings/warnings.ts'

export type { Diagnostic, DiagnosticCode } from './diagnostics.ts'
export { formatDiagnostic } from './diagnostics.ts'

export interface PolicySource {
  /** What the file is called in diagnostics; nothing is opened. */
  readonly file: string
  readonly text: string | Uint8Array
  /** How a file is read that this one names; without it, it may name none. */
  readonly beside?: Beside
}

export interface ParsedPolicy {
  /** Only when no diagnostic is an error. */
  readonly policy?: ModelledPolicy
  readonly diagnostics: readonly Diagnostic[]
}

/** Never throws on what a file can hold. */
export function parsePolicy({ file, text, beside }: PolicySource): ParsedPolicy {
  return parseInto(new Report(file), text, beside)
}

/** The same with a report that is kept: it knows where the parts of the policy stand, and more can be said in it. */
export function parseInto(report: Report, text: string | Uint8Array, beside?: Beside): ParsedPolicy {
  const policy = readPolicy(text, beside, report)
  // What is wrong is left out of a rule, and it seems to say less than it will.
  if (policy && !report.failed && !report.isPart) reportUnwanted(policy, report)
  if (policy === undefined && !report.failed) report.error(start, 'wrong_value', 'the file holds no policy')
  const diagnostics = report.diagnostics()
  return deepFreeze(policy === undefined || report.failed ? { diagnostics } : { policy, diagnostics })
}

function readPolicy(
  source: string | Uint8Array,
  beside: Beside | undefined,
  report: Report,
): ModelledPolicy | undefined {
  const text = readText(source, report)
  if (text === undefined) return undefined
  try {
    const root = readSource(text, report)
    return root && readLanguage(root, source, beside, report)
  } catch (thrown) {
    // The YAML and RE2 libraries answer for themselves; whatever they throw is no policy.
    report.error(start, 'unreadable', `the file cannot be read: ${messageOf(thrown)}`)
    return undefined
  }
}

function readLanguage(
  root: Node,
  source: string | Uint8Array,
  beside: Beside | undefined,
  report: Report,
): ModelledPolicy | undefined {
  if (root.kind !== 'map') return reportNoMap(root, report)
  const has = (key: string) => root.entries.some((entry) => entry.key === key)
  if (['workflow_policies', 'decision_contract'].some(has)) return readPack(root, hash('sha256', source), report)
  if (has('pack')) return readSettings(root, beside, namedPolicy, report)
  if (has('allowlist')) return readGuard(root, report)
  if (isHosted(root)) return reportHosted(root, report)
  const companion = companionOf(root)
  if (companion !== undefined) {
    report.error(root.at, 'unknown_language', `this is not a policy: it is ${companion}`)
    return undefined
  }
  if (isAegis(has)) return readAegis(root, report)
  if (['version', 'default', 'tools', 'resources', 'prompts', 'hide'].some(has)) return readToolPolicy(root, report)
  return reportUnknown(root, report)
}

function readToolPolicy(root: MapNode, report: Report): ModelledPolicy | undefined {
  const language = languageOf(root, report)
  if (language === undefined) return undefined
  return language === 'native' ? readNative(root, report) : readIntercept(root, report)
}

function reportHosted(root: MapNode, report: Report): undefined {
  const words = "this is a policy of PolicyLayer's hosted service, which is another language than Intercept's files"
  report.error(root.at, 'unknown_language', `${words} and is not read: write it as such a file, or as a native policy`)
}

/** A policy that another file names; its mistakes as sentences with their places. */
function namedPolicy(file: string, text: string | Uint8Array) {
  const { policy, diagnostics } = parsePolicy({ file, text })
  const mistakes = diagnostics.filter(({ severity }) => severity === 'error').map(formatDiagnostic)
  return { ...(policy && { policy }), mistakes }
}

const expected =
  'expected `version`, `default` and `tools`, `resources` or `prompts` (a native policy), `allowlist` (a guard policy), `defaults` and `rules` (an Aegis policy), or `workflow_policies` (a policy pack)'

function reportNoMap(root: Node, report: Report): undefined {
  if (root.kind === 'scalar' && root.text === '')
    report.error(start, 'unknown_language', `the file is empty: ${expected}`)
  else
    report.error(
      root.at,
      'unknown_language',
      `a policy is a map, got ${root.kind === 'list' ? 'a list' : 'a single value'}: ${expected}`,
    )
}

function reportUnknown(root: MapNode, report: Report): undefined {
  const known = [
    ...Object.keys(guardKeys),
    ...Object.keys(policyKeys),
    ...Object.keys(aegisKeys),
    'workflow_policies',
    'decision_contract',
  ]
  const near = root.entries
    .map(({ key }) => key)
    .filter((key) => !known.includes(key))
    .map((key) => nearest(key, known))
  const guess = near.filter((key) => key !== undefined)
  const meant = guess.length === 0 ? '' : `; did you mean ${oneOf(guess)}?`
  report.error(root.at, 'unknown_language', `this is no policy that can be told by its keys: ${expected}${meant}`)
}
