/** The text of a case file becomes a suite, or all its mistakes. */
import { dirname, join } from 'node:path'
import { messageOf } from '../../model/errors.ts'
import { type Diagnostic, Report } from '../../policy/diagnostics.ts'
import type { Field, Located } from '../../policy/forms.ts'
import { type MapNode, readSource } from '../../policy/source.ts'
import { readText, start } from '../../policy/text.ts'
import { isLayerName, type LayerFiles, type PolicyChoice } from '../../runtime/policySet.ts'
import { isAegisSuite, readAegisSuite } from '../aegis.ts'
import type { Case, Suite } from '../suite.ts'
import { casesOf } from './cases.ts'
import { type FileSaid, fileForm } from './keys.ts'
import { cellsOf } from './matrix.ts'
import type { CaseContext } from './shared.ts'

export interface CaseSource {
  /** What the file is called in reports; policies are looked for beside it. */
  readonly file: string
  readonly text: string | Uint8Array
  /** Reads a file that this one names; throws when it cannot. */
  readonly beside: (name: string) => Uint8Array
  /** In the place of the one that the file names. */
  readonly policy?: PolicyChoice
}

export interface ReadCases {
  /** Only when no diagnostic is an error. */
  readonly suite?: Suite
  readonly diagnostics: readonly Diagnostic[]
}

/** Never throws on what a file can hold. */
export function readCases(source: CaseSource): ReadCases {
  const report = new Report(source.file)
  const suite = suiteOf(source, report)
  const diagnostics = report.diagnostics()
  return suite === undefined || report.failed ? { diagnostics } : { suite, diagnostics }
}

function suiteOf(source: CaseSource, report: Report): Suite | undefined {
  try {
    const text = readText(source.text, report)
    const root = text === undefined ? undefined : readSource(text, report)
    if (!root) return undefined
    if (isAegisSuite(root)) return aegisSuite(root, source, report)
    const read = fileForm.read(root, 'a case file', report)
    if (!read) return undefined
    const { fields, misspelt } = read
    const policy = source.policy ?? policyOf(fields, source.file, report)
    if (!policy && !fields.policy && !fields.layers && !misspelt)
      report.error(root.at, 'missing_key', '`policy` is missing: name the file of the policy, beside this one')
    const cases = allCases(fields, source, report)
    if (cases.length === 0 && !fields.cases && !fields.matrix && !misspelt)
      report.error(root.at, 'missing_key', '`cases` is missing: say what happens and what is expected, or a `matrix`')
    return policy && { file: source.file, kind: 'cases', policy, cases }
  } catch (thrown) {
    report.error(start, 'unreadable', `the file cannot be read: ${messageOf(thrown)}`)
    return undefined
  }
}

function aegisSuite(root: MapNode, source: CaseSource, report: Report): Suite | undefined {
  const read = readAegisSuite(root, { report })
  const named = read?.policy === undefined ? undefined : { files: [join(dirname(source.file), read.policy)] }
  const policy = source.policy ?? named
  if (read && !policy)
    report.error(root.at, 'missing_key', 'the suite names no policy: name it with `policy`, or with `-c FILE`')
  return read && policy && { file: source.file, kind: 'aegis', policy, cases: read.cases }
}

function allCases(fields: FileSaid, { beside }: CaseSource, report: Report): readonly Case[] {
  const context: CaseContext = { principals: fields.principals?.value ?? [], beside, report }
  const cases = (fields.cases?.value ?? []).flatMap(({ value }) => casesOf(value, fields, context))
  const cells = (fields.matrix?.value ?? []).flatMap(({ value }) => cellsOf(value, fields, context))
  const all = [...cases, ...cells]
  const first = new Map<string, Case>()
  for (const one of all) {
    const other = first.get(one.name)
    if (!other) first.set(one.name, one)
    else
      report.error(
        one.at,
        'duplicate_key',
        `the case on line ${other.at.line} has the same name: results would not tell them apart`,
      )
  }
  return all
}

/** Paths as people would write them from where they are. */
function policyOf({ policy, layers }: FileSaid, file: string, report: Report): PolicyChoice | undefined {
  if (policy && layers) {
    report.error(layers.keyAt, 'contradiction', '`policy` and `layers` are two policies: keep one')
    return undefined
  }
  if (layers) return layersOf(layers, file, report)
  return policy?.value && { files: pathsOf(policy.value, file) }
}

function pathsOf(names: readonly Located<string>[], file: string): readonly string[] {
  return names.map(({ value }) => join(dirname(file), value))
}

function layersOf(
  { value }: Field<readonly { name: string; nameAt: Located<string>['at']; value: readonly Located<string>[] }[]>,
  file: string,
  report: Report,
): PolicyChoice | undefined {
  const layers = value?.map(({ name, nameAt, value: files }): LayerFiles => {
    if (!isLayerName(name))
      report.error(nameAt, 'bad_name', 'a layer is named by letters, digits, `_` and `-`, a letter first')
    return { name, files: pathsOf(files, file) }
  })
  return layers && { layers }
}
