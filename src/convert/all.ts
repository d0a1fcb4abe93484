/** A policy whose rules must all pass, in the native language. */
import type { AllPolicy, Method, Entry as PolicyEntry } from '../model/policy.ts'
import { Report } from '../policy/diagnostics.ts'
import { targetsOf } from '../policy/names.ts'
import { CounterNames } from './counters.ts'
import { headEntries } from './head.ts'
import type { Origins } from './origins.ts'
import { ruleItem } from './rules.ts'
import { type Entry, entry, type MapOut, map, type Out, text } from './yaml.ts'

const sections = { 'tools/call': 'tools', 'resources/read': 'resources', 'prompts/get': 'prompts' } as const

const scopePrefix: Readonly<Record<Method, string>> = {
  'tools/call': '',
  'resources/read': 'resources:',
  'prompts/get': 'prompts:',
}

export function allOut(policy: AllPolicy, origins: Origins): MapOut {
  const names = new CounterNames()
  const shown = policy.entries.findIndex((one) => !isHidden(one))
  const hidden = shown === -1 ? policy.entries : policy.entries.slice(0, shown)
  const listed = policy.entries.slice(hidden.length)
  const sectionOuts = (Object.keys(sections) as Method[]).flatMap((method) => {
    const own = listed.filter((one) => one.method === method)
    const isMissing = own.length === 0 && !(method === 'tools/call' && listed.length === 0)
    if (isMissing) return []
    const line = origins.topLine(sections[method], 'allowlist')
    return [entry(sections[method], map(own.map((one) => entryOut(one, names, origins))), line)]
  })
  const { allow, block } = policy.reasonCodes
  return map([
    ...headEntries(policy, origins),
    policy.entries.every(isGlob) ? undefined : entry('names', text('exact')),
    policy.counting && entry('counting', text(policy.counting)),
    policy.defaultRule === undefined ? undefined : entry('default_rule', text(policy.defaultRule)),
    allow === undefined && block === undefined
      ? undefined
      : entry(
          'reason_codes',
          map([
            allow === undefined ? undefined : entry('allow', text(allow)),
            block === undefined ? undefined : entry('block', text(block)),
          ]),
          origins.topLine('reason_codes'),
        ),
    hidden.length === 0 ? undefined : entry('hidden', hiddenOut(hidden), origins.topLine('hide', 'hidden')),
    names.isEmpty ? undefined : entry('counters', names.out()),
    ...sectionOuts,
  ])
}

/** Do its globs mean what the key means without `names: exact`? */
function isGlob({ method, key, match, place }: PolicyEntry): boolean {
  const targets = targetsOf(method, key, place, new Report(''))
  return JSON.stringify(targets) === JSON.stringify(match)
}

function isHidden({ method, rules, riskLevel }: PolicyEntry): boolean {
  const [rule] = rules
  return method === 'tools/call' && riskLevel === undefined && rules.length === 1 && rule?.hides === true
}

function hiddenOut(entries: readonly PolicyEntry[]): Out {
  return { kind: 'list', items: entries.map(({ key, place }) => ({ value: text(key), line: place.line })) }
}

function entryOut(own: PolicyEntry, names: CounterNames, origins: Origins): Entry {
  const scope = `${scopePrefix[own.method]}${own.key}`
  const items = own.rules.map((rule, index) => ruleItem(rule, index, own, scope, { names, origins }))
  const out = map([
    own.riskLevel && entry('risk_level', text(own.riskLevel)),
    items.length === 0 ? undefined : entry('rules', { kind: 'list', items }),
  ])
  return entry(own.key, out, own.place.line)
}
