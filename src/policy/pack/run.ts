/** The registration of a run as a file: the attributes that a policy pack decides by, from the host of the agent. */
import { messageOf } from '../../model/errors.ts'
import { runAttributes } from '../../model/pack/attributes.ts'
import type { Run } from '../../model/pack/run.ts'
import { type Diagnostic, oneOf, quote, Report } from '../diagnostics.ts'
import { type Node, plainOf, readSource } from '../source.ts'
import { hint } from '../spelling.ts'
import { readText, start } from '../text.ts'

export interface ReadRun {
  /** Only when no diagnostic is an error. */
  readonly run?: Run
  readonly diagnostics: readonly Diagnostic[]
}

/** Never throws on what a file can hold. What the attributes say is the pack's to judge, call by call. */
export function readRun(file: string, bytes: Uint8Array): ReadRun {
  const report = new Report(file)
  const run = runOf(bytes, report)
  const diagnostics = report.diagnostics()
  return run === undefined || report.failed ? { diagnostics } : { run, diagnostics }
}

function runOf(bytes: Uint8Array, report: Report): Run | undefined {
  try {
    const text = readText(bytes, report)
    const root = text === undefined ? undefined : readSource(text, report)
    return root && attributesOf(root, report)
  } catch (thrown) {
    report.error(start, 'unreadable', `the file cannot be read: ${messageOf(thrown)}`)
    return undefined
  }
}

function attributesOf(root: Node, report: Report): Run | undefined {
  if (root.kind !== 'map') {
    report.error(root.at, 'wrong_value', `a run is a map of attributes: ${oneOf(runAttributes)}`)
    return undefined
  }
  for (const { key, keyAt } of root.entries)
    if (!runAttributes.some((known) => known === key))
      report.error(keyAt, 'unknown_key', `unknown attribute ${quote(key)}${hint(key, runAttributes)}`)
  return plainOf(root) as Run
}
