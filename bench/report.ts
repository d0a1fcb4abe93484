/** What a benchmark gives: the numbers, and whether they reach what they must. Printed as Markdown. */
import { arch, cpus, platform } from 'node:os'

export type Cell = string | number

export interface Table {
  readonly columns: readonly string[]
  readonly rows: readonly (readonly Cell[])[]
}

export interface Target {
  readonly what: string
  readonly bound: 'at most' | 'at least'
  readonly limit: number
  readonly unit: string
  readonly measured: number
}

export interface Section {
  readonly title: string
  /** What is inside the measurement, and how it was made. */
  readonly about: string
  readonly tables: readonly Table[]
  readonly targets: readonly Target[]
}

export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly platform: string
  readonly node: string
}

export function machine(): Machine {
  const all = cpus()
  const cpu = all[0]?.model.trim() ?? 'unknown'
  return { cpu, cores: all.length, platform: `${platform()} ${arch()}`, node: process.version }
}

export function isMet({ bound, limit, measured }: Target): boolean {
  return bound === 'at most' ? measured <= limit : measured >= limit
}

export function toMarkdown(sections: readonly Section[], { cpu, cores, platform: os, node }: Machine): string {
  const targets = sections.flatMap((section) => section.targets)
  const parts = [`${cores} cores (${cpu}), ${os}, Node ${node}.`, tableText(targetTable(targets))]
  for (const { title, about, tables } of sections) parts.push(`## ${title}`, about, ...tables.map(tableText))
  return `${parts.join('\n\n')}\n`
}

function targetTable(targets: readonly Target[]): Table {
  const rows = targets.map((target) => {
    const { what, bound, limit, unit, measured } = target
    return [what, `${bound} ${limit}${unit}`, `${shown(measured)}${unit}`, isMet(target) ? 'yes' : '**no**']
  })
  return { columns: ['what', 'must be', 'measured', 'reached'], rows }
}

function tableText({ columns, rows }: Table): string {
  const lines = [columns, columns.map(() => '---'), ...rows.map((row) => row.map(shown))]
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

/** Three digits: no timing here is known better. */
function shown(cell: Cell): string {
  if (typeof cell === 'string') return cell
  return Math.abs(cell) >= 100 ? Math.round(cell).toLocaleString('en') : String(Number(cell.toPrecision(3)))
}
