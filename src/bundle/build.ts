/** From policy sources to a compiled policy: parse, generate, compile (or find it compiled), seal. */
import { readdirSync, readFileSync } from 'node:fs'
import { generate } from '../codegen/generate.ts'
import { compileCached } from '../compile/cache.ts'
import { compilerFolder, readIdentity } from '../compile/module.ts'
import type { Policy } from '../model/policy.ts'
import { parsePolicies } from '../policy/merge.ts'
import type { PolicySource } from '../policy/parse.ts'
import { type Artifact, type Source, sealArtifact } from './artifact.ts'
import { PolicyError } from './errors.ts'
import { type Rooted, underRoot } from './root.ts'

export { PolicyError }

export interface PolicyText {
  /** Becomes part of the policy and so of its revision: a name, not a path. */
  readonly name: string
  /** What mistakes call the file; its name unless told otherwise. */
  readonly path?: string
  readonly text: string | Uint8Array
  /** How a file is read that this one names. */
  readonly beside?: (name: string) => string | Uint8Array
}

/** Throws a `PolicyError` with every mistake of the source, or what the compiler throws. */
export function buildPolicy(file: PolicyText): Promise<Artifact> {
  return buildMerged([file])
}

/** One policy of several files, the first of which is the base (`src/policy/merge.ts`); their names differ. Throws so, too. */
export async function buildMerged(files: readonly PolicyText[], root?: string): Promise<Artifact> {
  const sources = files.map(({ name, text }) => sourceOf(name, text))
  const { policy, diagnostics } = parsePolicies(files.map((file) => policySource(file, sources)))
  if (policy) return compilePolicy(policy, sources, root)
  const paths = new Map(files.map(({ name, path = name }) => [name, path]))
  throw new PolicyError(
    diagnostics.map((diagnostic) => ({ ...diagnostic, file: paths.get(diagnostic.file) as string })),
  )
}

/** What a file names is a source like the file itself. */
function policySource({ name, text, beside }: PolicyText, sources: Source[]): PolicySource {
  if (!beside) return { file: name, text }
  const reading = (other: string) => {
    const found = beside(other)
    sources.push({ ...sourceOf(other, found), beside: true })
    return found
  }
  return { file: name, text, beside: reading }
}

function sourceOf(name: string, text: string | Uint8Array): Source {
  return { name, text: Buffer.from(text as Uint8Array).toString('utf8') }
}

/** `root`: the name that the Rego is put under (`root.ts`). */
export async function compilePolicy(policy: Policy, sources: readonly Source[], root?: string): Promise<Artifact> {
  const { modules, data, entrypoint } = regoOf(policy, root)
  const { opa, digest } = readIdentity(compilerFolder)
  const { wasm } = await compileCached({
    modules: uncommented(modules),
    data: data as Record<string, unknown>,
    entrypoints: [entrypoint],
  })
  return sealArtifact({ compiler: { opa, digest }, sources, policy, modules, data, entrypoint, wasm })
}

/**
 * A comment leaves nothing in the WASM but the lines it takes, and those of generated Rego say where in which file a rule
 * stands: without them a policy that moves by a line, or is called by another path, is not compiled again.
 */
function uncommented(modules: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(modules).map(([name, rego]) => [name, rego.replaceAll(/^#.*$/gm, '#')]))
}

/** All that is compiled of a policy. */
export function regoOf(policy: Policy, root?: string): Rooted {
  const { modules, data, entrypoints } = generate(policy)
  const [entrypoint = ''] = entrypoints
  return underRoot({ modules: withHandWritten(modules), data, entrypoint }, root)
}

/** Generated modules, and those of `rego/` that they ask, by file name: what nothing asks is not compiled. */
export function withHandWritten(generated: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const folder = new URL('../../rego/', import.meta.url)
  const text = Object.values(generated).join('\n')
  const asked = readdirSync(folder).filter((name) => {
    if (!name.endsWith('.rego') || name.endsWith('_test.rego')) return false
    return name === 'dispatch.rego' || text.includes(`data.tollgate.${name.slice(0, -'.rego'.length)}.`)
  })
  const written = asked.sort().map((name) => [name, readFileSync(new URL(name, folder), 'utf8')])
  return { ...Object.fromEntries(written), ...generated }
}
