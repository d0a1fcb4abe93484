/** Coverage by file: of policies by rule and by line, of Rego by line. */
import type { CoverageReport as RegoCoverage } from '../../compile/request.ts'
import { type Branch, type Item, isCovered, lackOf } from './item.ts'

export interface Coverage {
  /** Of the rules of policies; absent where there are none. */
  readonly rules?: Share
  /** Of the conditions of those rules: of each two answers. */
  readonly branches?: Share
  /** Of the lines of Rego; absent where none was tested. */
  readonly rego?: Share
  readonly files: readonly FileCoverage[]
}

export interface Share {
  readonly covered: number
  readonly of: number
  /** Rounded down to two decimals: 100 is all of them. */
  readonly percent: number
}

export interface FileCoverage {
  readonly file: string
  readonly language: 'policy' | 'rego'
  readonly rules?: Share
  readonly branches?: Share
  readonly lines: Share
  /** How often each line that says something was come to. */
  readonly hits: readonly { readonly line: number; readonly hits: number }[]
  readonly uncovered: readonly Uncovered[]
  readonly items: readonly Item[]
}

/** Of a policy: what no call showed. Of Rego: lines that no test came to. */
export interface Uncovered {
  readonly line: number
  /** Last line, of Rego. */
  readonly to?: number
  readonly rule?: string
  readonly lacks: string
  /** The rule is covered, but one of its conditions always had the same answer. */
  readonly isPartial?: true
}

export function coverageOf(items: readonly Item[], rego?: RegoCoverage): Coverage {
  const merged = mergedItems(items)
  const policies = [...Map.groupBy(merged, ({ place }) => place.file)].map(([file, own]) => policyFile(file, own))
  const modules = Object.entries(rego?.files ?? {}).map(([file, found]) => regoFile(file, found))
  return {
    ...(merged.length > 0 && { rules: ruleShare(merged), branches: branchShare(merged) }),
    ...(rego && { rego: share(rego.covered_lines, rego.covered_lines + rego.not_covered_lines) }),
    files: [...policies, ...modules].sort((a, b) => (a.file < b.file ? -1 : 1)),
  }
}

/** The same policy may be tested by several files, and be in several layers. */
function mergedItems(items: readonly Item[]): readonly Item[] {
  const same = Map.groupBy(items, ({ kind, name, place }) =>
    JSON.stringify([place.file, place.line, place.col, kind, name]),
  )
  return [...same.values()].map((group) => group.reduce(sum))
}

function sum(one: Item, other: Item): Item {
  const branches = one.branches.map((branch, index): Branch => {
    const { yes = 0, no = 0 } = other.branches[index] ?? {}
    return { ...branch, yes: branch.yes + yes, no: branch.no + no }
  })
  const { asked, decided, met } = other
  return { ...one, asked: one.asked + asked, decided: one.decided + decided, met: one.met + met, branches }
}

function policyFile(file: string, items: readonly Item[]): FileCoverage {
  const hits = new Map<number, number>()
  const hit = (line: number, count: number) => hits.set(line, Math.max(count, hits.get(line) ?? 0))
  for (const { place, asked, branches } of items) {
    hit(place.line, asked)
    for (const branch of branches) hit(branch.place.line, branch.yes + branch.no)
  }
  return {
    file,
    language: 'policy',
    rules: ruleShare(items),
    branches: branchShare(items),
    lines: share([...hits.values()].filter((count) => count > 0).length, hits.size),
    hits: [...hits].sort(([a], [b]) => a - b).map(([line, count]) => ({ line, hits: count })),
    uncovered: items.flatMap(uncoveredOf).sort((a, b) => a.line - b.line),
    items,
  }
}

function uncoveredOf(item: Item): readonly Uncovered[] {
  const { name, place, branches } = item
  if (!isCovered(item)) return [{ line: place.line, rule: name, lacks: lackOf(item) }]
  return branches
    .filter(({ yes, no }) => yes === 0 || no === 0)
    .map(({ asks, place: at, yes, no }) => {
      const lacks = yes + no === 0 ? `never asked: ${asks}` : `${yes === 0 ? 'never so' : 'always so'}: ${asks}`
      return { line: at.line, rule: name, lacks, isPartial: true }
    })
}

function regoFile(file: string, found: RegoCoverage['files'][string]): FileCoverage {
  const { covered = [], not_covered: missed = [], covered_lines: yes = 0, not_covered_lines: no = 0 } = found
  const hits = new Map<number, number>()
  for (const { start, end } of missed) for (let line = start.row; line <= end.row; line++) hits.set(line, 0)
  for (const { start, end } of covered) for (let line = start.row; line <= end.row; line++) hits.set(line, 1)
  return {
    file,
    language: 'rego',
    lines: share(yes, yes + no),
    hits: [...hits].sort(([a], [b]) => a - b).map(([line, count]) => ({ line, hits: count })),
    uncovered: runsOf(hits),
    items: [],
  }
}

/** Lines one below the other that no test came to, as one. */
function runsOf(hits: ReadonlyMap<number, number>): readonly Uncovered[] {
  const lines = [...hits].filter(([, count]) => count === 0).map(([line]) => line)
  const starts = lines.filter((line) => !lines.includes(line - 1))
  return starts
    .sort((a, b) => a - b)
    .map((line) => {
      let to = line
      while (hits.get(to + 1) === 0) to++
      return { line, ...(to > line && { to }), lacks: 'no test came to it' }
    })
}

function ruleShare(items: readonly Item[]): Share {
  return share(items.filter(isCovered).length, items.length)
}

function branchShare(items: readonly Item[]): Share {
  const answers = items.flatMap(({ branches }) => branches.flatMap(({ yes, no }) => [yes, no]))
  return share(answers.filter((count) => count > 0).length, answers.length)
}

function share(covered: number, of: number): Share {
  return { covered, of, percent: of === 0 ? 100 : Math.floor((covered / of) * 10_000) / 100 }
}

/** What is asked for is asked of the rules of policies, and of the lines of Rego. */
export function isBelow({ rules, rego }: Coverage, threshold: number): boolean {
  return [rules, rego].some((one) => one !== undefined && one.percent < threshold)
}
