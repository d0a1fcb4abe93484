/** Coverage as LCOV writes it, for the tools that show it beside the source. */

import { isCovered } from './item.ts'
import type { Coverage, FileCoverage } from './report.ts'

export function lcov({ files }: Coverage): string {
  return files.map(recordOf).join('')
}

function recordOf({ file, items, hits }: FileCoverage): string {
  const rules = items.filter(({ kind }) => kind === 'rule')
  const branches = items.flatMap((item, block) =>
    item.branches.flatMap(({ place, yes, no }) =>
      [yes, no].map((count, answer) => ({
        line: place.line,
        block,
        answer,
        count: item.asked === 0 ? '-' : String(count),
        hit: count > 0,
      })),
    ),
  )
  const lines = [
    'TN:',
    `SF:${file}`,
    ...rules.map(({ place, name }) => `FN:${place.line},${oneLine(name)}`),
    ...rules.map((item) => `FNDA:${isCovered(item) ? Math.max(1, item.decided) : 0},${oneLine(item.name)}`),
    ...(rules.length > 0 ? [`FNF:${rules.length}`, `FNH:${rules.filter(isCovered).length}`] : []),
    ...branches.map(({ line, block, answer, count }) => `BRDA:${line},${block},${answer},${count}`),
    ...(branches.length > 0 ? [`BRF:${branches.length}`, `BRH:${branches.filter(({ hit }) => hit).length}`] : []),
    ...hits.map(({ line, hits: count }) => `DA:${line},${count}`),
    `LF:${hits.length}`,
    `LH:${hits.filter(({ hits: count }) => count > 0).length}`,
    'end_of_record',
  ]
  return `${lines.join('\n')}\n`
}

function oneLine(name: string): string {
  return name.replace(/[\r\n,]+/g, ' ')
}
