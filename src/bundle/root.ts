/**
 * Rego under a name of its own: `package tollgate.tools` becomes `package tollgate.org.tools`, so that the bundles of
 * several policies can be loaded into one OPA, which wants the parts of `data` that they own to be disjoint.
 */
import type { Json } from '../model/canonical.ts'
import { TollgateError } from '../model/errors.ts'

/** What is compiled, before or after it was put under a name. */
export interface Rooted {
  readonly modules: Readonly<Record<string, string>>
  readonly data: Json
  readonly entrypoint: string
}

/** Words of Rego, and what OPA keeps for itself. */
const kept = new Set([
  ...['as', 'contains', 'default', 'else', 'every', 'false', 'if', 'import', 'in', 'not', 'null', 'package', 'some'],
  ...['true', 'with', 'data', 'input', 'system'],
])

/** Throws `root_invalid`. */
export function requireRoot(root: string): void {
  if (root.length > 64 || !/^[a-z][a-z0-9_]*$/.test(root) || kept.has(root))
    throw new TollgateError(
      'root_invalid',
      `\`${root}\` is no root: letters in lower case, digits and \`_\`, a letter first, and no word of Rego`,
    )
}

/** Nothing changes without a root. */
export function underRoot({ modules, data, entrypoint }: Rooted, root: string | undefined): Rooted {
  if (root === undefined) return { modules, data, entrypoint }
  const moved = Object.entries(modules).map(([name, text]) => [name, moduleUnder(text, root)])
  return {
    modules: Object.fromEntries(moved),
    data: { tollgate: { [root]: ownOf(data) } },
    entrypoint: entrypoint.replace('/', `/${root}/`),
  }
}

/** The root that an entrypoint is under; undefined where it is under none. */
export function rootOf(entrypoint: string): string | undefined {
  return /^tollgate\/([a-z][a-z0-9_]*)\/decision$/.exec(entrypoint)?.[1]
}

/** All data of a policy stands under `tollgate`. */
function ownOf(data: Json): Json | undefined {
  return (data as { readonly tollgate?: Json }).tollgate
}

/** Comments and texts stay as they are: a policy may speak of `data.tollgate` in a message. */
function moduleUnder(text: string, root: string): string {
  return text.replace(
    /#[^\n]*|"(?:[^"\\\n]|\\.)*"|`[^`]*`|(?<![\w.])(package\s+|data\.)tollgate\b/g,
    (whole, before?: string) => (before === undefined ? whole : `${before}tollgate.${root}`),
  )
}
