/** Who can call, parted by what the policies say of callers: each class with one caller that stands for it. */
import type { Principal } from '../model/call.ts'
import { callersText, isFor } from '../model/callers.ts'
import { matchesGlob } from '../model/fnmatch.ts'
import { matches, matchingEntries, type Target } from '../model/match.ts'
import type { Callers, Pattern } from '../model/policy.ts'
import { rulesAbout, type Side, type SideLayer } from './side.ts'
import { fnmatchPattern, type Glob, globReader, namePattern } from './texts/globs.ts'
import type { Reader } from './texts/reader.ts'
import { walkTexts } from './texts/walk.ts'

export interface CallerClass {
  readonly principal: Principal
  /** For people; undefined where every caller is the same. */
  readonly text?: string
}

export interface CallersFound {
  readonly classes: readonly CallerClass[]
  readonly complete: boolean
}

interface Options {
  readonly statesMax: number
  readonly expired: () => boolean
}

/** More kinds of callers than these are not looked at for one target. */
const callersMax = 4_096

export function callersOf(sides: readonly Side[], target: Target, options: Options): CallersFound {
  const layers = sides.flatMap(({ layers: own }) => own)
  const named = layers.flatMap((layer) => callersIn(layer, target))
  const agentGlobs = layers.flatMap((layer) => agentsIn(layer, target))
  const fields = (['agent', 'user', 'project'] as const).map((field) => {
    const patterns = named.flatMap((callers) => callers.flatMap((test) => test[field] ?? []))
    const globs = [...patterns.map(namePattern), ...(field === 'agent' ? agentGlobs.map(fnmatchPattern) : [])]
    return { field, ...namesFor(globs, options) }
  })
  const groups = groupsFor(
    named.flatMap((callers) => callers.flatMap((test) => test.groups ?? [])),
    options,
  )
  const principals: Principal[] = []
  const [agents, users, projects] = fields as unknown as readonly [Names, Names, Names]
  const all = agents.names.length * users.names.length * projects.names.length * groups.names.length
  if (all <= callersMax)
    for (const agent of agents.names)
      for (const group of groups.names)
        for (const project of projects.names)
          for (const user of users.names)
            principals.push({
              ...(agent !== undefined && { agent }),
              ...(group !== undefined && { groups: group }),
              ...(project !== undefined && { project }),
              ...(user !== undefined && { user }),
            })
  else principals.push({})
  const said = (principal: Principal) =>
    JSON.stringify([
      named.map((callers) => isFor(callers, principal)),
      agentGlobs.map((glob) => matchesGlob(glob, principal.agent || '*')),
    ])
  const classes = [...Map.groupBy(principals, said).values()].map(([principal = {}]) => {
    if (named.length + agentGlobs.length === 0) return { principal, named: 0 }
    return { principal, ...textOf(principal, named, agentGlobs) }
  })
  classes.sort((one, other) => other.named - one.named)
  const complete = all <= callersMax && [...fields, groups].every((one) => one.complete)
  return { classes, complete }
}

interface Names {
  readonly names: readonly (string | undefined)[]
  readonly complete: boolean
}

/** Nobody knows the name, or it is one of those that patterns tell apart. */
function namesFor(globs: readonly Glob[], options: Options): Names {
  if (globs.length === 0) return { names: [undefined], complete: true }
  const { texts, complete } = walkTexts([globReader(globs) as unknown as Reader<never>], { ...options, names: true })
  const literals = globs.flatMap((glob) => {
    const chars = glob.flatMap((part) => (part.kind === 'char' ? [part.char] : []))
    return chars.length === glob.length && chars.length > 0 ? [chars.join('')] : []
  })
  return { names: [...new Set([undefined, ...literals, ...texts])], complete }
}

/** Nobody knows the groups, or they are a set of some; what counts is which patterns one of them matches. */
function groupsFor(patterns: readonly Pattern[], options: Options) {
  if (patterns.length === 0) return { names: [undefined], complete: true }
  const { names, complete } = namesFor(patterns.map(namePattern), options)
  const matched = (group: string) => patterns.map((pattern) => matches(pattern, group))
  const single = names.flatMap((group) => group ?? []).filter((group) => matched(group).includes(true))
  const sets = new Map<string, readonly string[]>()
  const add = (set: readonly string[]) => {
    const key = JSON.stringify(patterns.map((pattern) => set.some((group) => matches(pattern, group))))
    if (sets.has(key) || sets.size > callersMax) return
    sets.set(key, set)
    for (const group of single) add([...set, group].sort())
  }
  add([])
  return { names: [undefined, ...sets.values()], complete: complete && sets.size <= callersMax }
}

/** Whom the entries and rules about a target are for. */
function callersIn({ policy }: SideLayer, target: Target): readonly Callers[] {
  if (policy.strategy !== 'all') return []
  const entries = matchingEntries(policy, target)
  const all = entries.flatMap((entry) => [entry.for, ...entry.rules.map((rule) => rule.for)])
  const said = new Map(all.flatMap((callers) => (callers ? [[JSON.stringify(callers), callers] as const] : [])))
  return [...said.values()]
}

function agentsIn({ policy }: SideLayer, target: Target): readonly string[] {
  if (policy.strategy !== 'first') return []
  const about = rulesAbout(policy, target)
  return [...new Set(about.map(({ match }) => match.agent).filter((agent) => agent !== '*'))]
}

/** Those who are named first, then those who are not, and last those of whom it is not known. */
function textOf(principal: Principal, named: readonly Callers[], globs: readonly string[]) {
  const agent = principal.agent || '*'
  const is = [
    ...named.filter((callers) => isFor(callers, principal) === 'yes').map(callersText),
    ...globs.filter((glob) => matchesGlob(glob, agent)).map((glob) => `agent=${JSON.stringify(glob)}`),
  ]
  const unclear = named.filter((callers) => isFor(callers, principal) === 'unclear').map(callersText)
  if (is.length > 0) return { text: [...new Set(is)].join(' and '), named: 1 }
  if (unclear.length === 0) return { text: 'other callers', named: 0 }
  return { text: `callers who may be ${[...new Set(unclear)].join(', or ')}: it is not known`, named: -1 }
}
