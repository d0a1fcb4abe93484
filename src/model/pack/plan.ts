/** What the gate asks of a policy pack: the run of a call, and what its tool does. */
import type { Call } from '../call.ts'
import type { Json } from '../canonical.ts'
import { matches, type Target } from '../match.ts'
import type { Plan } from '../plan.ts'
import type { Path, TargetPattern } from '../policy.ts'
import { type Builder, namesOf, newBuilder } from '../shape.ts'
import { type ClaimsMapping, runFromClaims } from './claims.ts'
import type { PackPolicy, ToolBinding } from './policy.ts'
import { type Act, pathTexts, type RunFacts, runFacts } from './run.ts'

export function planOfPack(policy: PackPolicy, target: Target): Plan {
  const binding = bindingOf(policy, target)
  const names = newBuilder()
  for (const path of binding ? [...(binding.branch ? [binding.branch] : []), ...binding.paths, ...binding.content] : [])
    addPath(names, path)
  return {
    shape: { fields: new Map(), read: false },
    names: namesOf(names),
    amounts: [],
    counters: [],
    run: (call) => runOf(call, binding ?? (policy.tools ? 'unmapped' : undefined), policy.claims),
  }
}

/** Tools alone are what a pack speaks of; where the operator says what they do, of those alone. */
export function isVisibleInPack(policy: PackPolicy, target: Target): boolean {
  return target.method === 'tools/call' && (policy.tools === undefined || bindingOf(policy, target) !== undefined)
}

export function serverNamedInPack({ tools = [] }: PackPolicy): string | undefined {
  return tools.find(({ match }) => match.some(({ server }) => server !== undefined && server.text !== '*'))?.key
}

/** A name that is spelled out wins over a glob, one with its server over one without, and the first over the others. */
export function bindingOf({ tools = [] }: PackPolicy, target: Target): ToolBinding | undefined {
  if (target.method !== 'tools/call') return undefined
  const found = tools.filter(({ match }) => match.some((pattern) => targetMatches(pattern, target)))
  const spelled = found.filter(({ match }) => match.every(isLiteral))
  const ofServer = ({ match }: ToolBinding) =>
    match.some((one) => one.server !== undefined && targetMatches(one, target))
  return spelled.find(ofServer) ?? spelled[0] ?? found[0]
}

function targetMatches({ server, name }: TargetPattern, target: Target): boolean {
  return (server === undefined || matches(server, target.server)) && matches(name, target.name)
}

function isLiteral({ server, name }: TargetPattern): boolean {
  return name.kind === 'literal' && (server === undefined || server.kind === 'literal')
}

function runOf(
  call: Call,
  binding: ToolBinding | 'unmapped' | undefined,
  mapping: ClaimsMapping | undefined,
): RunFacts | undefined {
  const { arguments: args, principal, run, server, name } = call
  // A run that only claims speak of is one, too: what they do not say of it is then missing.
  if (!run && !(mapping && principal.claims)) return undefined
  const act = typeof binding === 'object' ? actOf(args, binding) : binding
  const claimed = mapping && runFromClaims(mapping, principal.claims ?? {})
  return runFacts({ registered: run ?? {}, claimed, act }, { server, tool: name })
}

/** What the arguments say that the tool is to do: never who asks for it, nor what is allowed. */
function actOf(args: Call['arguments'], { namespace, access, branch, paths, content }: ToolBinding): Act {
  return {
    namespace,
    access,
    ...(branch && { branch: oneText(found(args, branch)) }),
    ...(paths.length > 0 && { paths: textsOf(args, paths) }),
    ...(content.length > 0 && { lines: linesOf(args, content) }),
  }
}

function oneText(values: readonly (Json | undefined)[]): string | null {
  const texts = values.length === 1 ? pathTexts(values as readonly Json[]) : null
  return texts?.[0] ?? null
}

function textsOf(args: Json, paths: readonly Path[]): readonly string[] | null {
  const values = paths.flatMap((path) => found(args, path))
  return values.includes(undefined) ? null : pathTexts(values as readonly Json[])
}

/** The lines of the new text. Those that it takes away are not in the arguments. */
function linesOf(args: Json, paths: readonly Path[]): number | null {
  const texts = paths.flatMap((path) => found(args, path))
  if (!texts.every((text) => typeof text === 'string')) return null
  return texts.reduce((sum, text) => sum + (text === '' ? 0 : text.split(/\r\n?|\n/).length), 0)
}

/** The values at a path; lists on the way are looked through. Undefined for each that is not there. */
function found(value: Json | undefined, path: Path): readonly (Json | undefined)[] {
  if (Array.isArray(value)) return value.flatMap((item: Json) => found(item, path))
  const [key, ...below] = path
  if (key === undefined) return [value]
  if (value === null || typeof value !== 'object' || !Object.hasOwn(value, key)) return [undefined]
  return found((value as { readonly [key: string]: Json | undefined })[key], below)
}

function addPath(node: Builder, [key, ...below]: Path): void {
  if (key === undefined) return
  const child = node.fields.get(key) ?? newBuilder()
  node.fields.set(key, child)
  addPath(child, below)
  if (below.length === 0) return
  child.elements ??= newBuilder()
  addPath(child.elements, below)
}
