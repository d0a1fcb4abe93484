/**
 * Native policies and Intercept's files have the same frame, and much in common. What only one of them has tells which
 * one a file is; a file with nothing of the kind means the same in both.
 */
import type { Report, Spot } from '../diagnostics.ts'
import { quote } from '../diagnostics.ts'
import type { MapNode, Node } from '../source.ts'

export type Language = 'native' | 'intercept'

interface Sign {
  readonly of: Language
  readonly key: string
  readonly at: Spot
}

/** Keys that one language alone has, by where they stand. */
const top = signsBy({
  native: [
    'resources',
    'prompts',
    'policy_id',
    'policy_version',
    'risk_level',
    'hidden',
    'pinning',
    'pinned',
    'names',
    'counters',
    'counting',
    'default_rule',
    'reason_codes',
  ],
  intercept: ['hide', 'approvals'],
})
const ofTool = signsBy({ native: ['risk_level', 'description'], intercept: [] })
const ofRule = signsBy({
  native: ['per', 'limits', 'counted', 'risk_level', 'description'],
  intercept: ['conditions', 'state'],
})

/** Undefined, and reported, when the file is a bit of both. */
export function languageOf(root: MapNode, report: Report): Language | undefined {
  const signs = signsOf(root)
  const [first] = signs
  const other = signs.find((sign) => sign.of !== first?.of)
  if (first && other) return reportMixed(first, other, report)
  if (first) return first.of
  return hasKey(root, 'tools') && !hasKey(root, 'default') ? 'intercept' : 'native'
}

function reportMixed(first: Sign, other: Sign, report: Report): undefined {
  const whose = { native: 'of the native language', intercept: "of Intercept's" }
  const words = `${quote(other.key)} is a key ${whose[other.of]}, and ${quote(first.key)} on line ${first.at.line} one ${whose[first.of]}`
  report.error(other.at, 'unknown_language', `${words}: a file is in one language`)
}

/** PolicyLayer's hosted service has policies of its own, in JSON. */
export function isHosted(root: MapNode): boolean {
  const keys = ['require', 'deny_if', 'limits']
  const hosted = toolsOf(root).some(
    ({ value }) =>
      value.kind === 'map' && value.entries.length > 0 && value.entries.every(({ key }) => keys.includes(key)),
  )
  return hosted || hasKey(root, 'all_tools')
}

function signsOf(root: MapNode): readonly Sign[] {
  const tools = toolsOf(root)
  return [
    ...found(root, top),
    ...tools.flatMap(({ value }) => found(value, ofTool)),
    ...tools.flatMap(({ value }) => rulesOf(value)).flatMap(ruleSigns),
  ].sort((a, b) => a.at.line - b.at.line || a.at.col - b.at.col)
}

function ruleSigns(rule: Node): readonly Sign[] {
  if (rule.kind !== 'map') return []
  const written = rule.entries.flatMap(({ key, keyAt, value }): Sign[] => {
    if (key === 'rate_limit' && value.kind !== 'scalar') return [{ of: 'native', key, at: keyAt }]
    const evaluates = key === 'action' && value.kind === 'scalar' && value.value === 'evaluate'
    return evaluates ? [{ of: 'intercept', key: 'action: evaluate', at: keyAt }] : []
  })
  return [...found(rule, ofRule), ...written]
}

function signsBy(keys: Readonly<Record<Language, readonly string[]>>): ReadonlyMap<string, Language> {
  return new Map([
    ...keys.native.map((key) => [key, 'native'] as const),
    ...keys.intercept.map((key) => [key, 'intercept'] as const),
  ])
}

function found(node: Node, signs: ReadonlyMap<string, Language>): Sign[] {
  if (node.kind !== 'map') return []
  return node.entries.flatMap(({ key, keyAt }) => {
    const of = signs.get(key)
    return of ? [{ of, key, at: keyAt }] : []
  })
}

function toolsOf(root: MapNode): MapNode['entries'] {
  const tools = root.entries.find(({ key }) => key === 'tools')?.value
  return tools?.kind === 'map' ? tools.entries : []
}

function rulesOf(tool: Node): readonly Node[] {
  const rules = tool.kind === 'map' ? tool.entries.find(({ key }) => key === 'rules')?.value : undefined
  return rules?.kind === 'list' ? rules.items : []
}

function hasKey(node: Node, key: string): boolean {
  return node.kind === 'map' && node.entries.some((entry) => entry.key === key)
}
