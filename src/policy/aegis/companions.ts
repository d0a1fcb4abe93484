/** Files of Aegis that are no policies. Aegis itself takes them for policies without rules. */
import { quote } from '../diagnostics.ts'
import type { MapNode, Node } from '../source.ts'

/** What the file is, when it is such a one. */
export function companionOf(root: MapNode): string | undefined {
  const value = (key: string) => root.entries.find((entry) => entry.key === key)?.value
  const has = (...keys: readonly string[]) => keys.some((key) => value(key) !== undefined)
  if (value('tests')?.kind === 'list') return `a test suite of Aegis (${quote('tests')})`
  const rules = value('rules')
  if (rules?.kind === 'list' && (has('categories') || rules.items.some(isDetector))) return 'a guardrail pack of Aegis'
  if (rules !== undefined || has('defaults')) return undefined
  if (has('server', 'auth', 'dashboard') && has('server', 'policy', 'audit', 'auth', 'guardrails'))
    return `the configuration of the Aegis server (${quote('aegis-server.yaml')}), whose ${quote('policy')} says where the policy is`
  if (has('guardrails', 'integrations', 'cost')) return `the configuration of Aegis (${quote('aegis.yaml')})`
  return value('rate_limits')?.kind === 'list' ? 'a list of rate limits of Aegis' : undefined
}

/** A rule of a guardrail pack looks for a pattern in texts. */
function isDetector(node: Node): boolean {
  return node.kind === 'map' && node.entries.some(({ key }) => key === 'pattern' || key === 'patterns')
}

/** Is it an Aegis policy, by its keys? */
export function isAegis(has: (key: string) => boolean): boolean {
  const own = ['rules', 'defaults', 'plan_rules', 'scope', 'scope_id'].some(has)
  return own && !['default', 'tools', 'resources', 'prompts', 'hide'].some(has)
}
