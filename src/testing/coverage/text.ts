/** Coverage as people read it: a line a file, and below it what is not covered. */
import { plain } from '../../model/message/plain.ts'
import type { Coverage, FileCoverage, Share, Uncovered } from './report.ts'

export function coverageText({ rules, branches, rego, files }: Coverage): string {
  const width = Math.max(0, ...files.map(({ file }) => file.length))
  const totals = [
    ...(rules ? [`rules ${shareText(rules)}`] : []),
    ...(branches ? [`conditions ${shareText(branches)}`] : []),
    ...(rego ? [`lines of Rego ${shareText(rego)}`] : []),
  ]
  const lines = [
    ...files.flatMap((file) => fileLines(file, width)),
    `coverage: ${totals.join(', ') || 'nothing was measured'}`,
  ]
  return `${lines.map(plain).join('\n')}\n`
}

function fileLines({ file, rules, branches, lines, uncovered }: FileCoverage, width: number): readonly string[] {
  const shares = [
    ...(rules ? [`rules ${shareText(rules)}`] : []),
    ...(branches ? [`conditions ${shareText(branches)}`] : []),
    `lines ${shareText(lines)}`,
  ]
  return [`${file.padEnd(width)}  ${shares.join('  ')}`, ...uncovered.map((one) => `  ${uncoveredText(file, one)}`)]
}

function uncoveredText(file: string, { line, to, rule, lacks, isPartial }: Uncovered): string {
  const at = `${file}:${line}${to === undefined ? '' : `-${to}`}`
  if (rule === undefined) return `${at}: ${lacks}`
  return `${at}: \`${rule}\` ${isPartial ? 'in part' : 'not covered'}: ${lacks}`
}

function shareText({ covered, of, percent }: Share): string {
  return `${percent} % (${covered} of ${of})`
}
