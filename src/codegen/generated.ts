/** What the code generator gives to the compiler. */
import type { Json } from '../model/canonical.ts'

export interface Generated {
  /** Rego by file name; it stands on the modules of `rego/`, which `bundle/build.ts` adds. */
  readonly modules: Readonly<Record<string, string>>
  /** The base document, `data.json`. */
  readonly data: Json
  /** As OPA spells them: `package/rule`. */
  readonly entrypoints: readonly string[]
}

export const entrypoint = 'tollgate/decision'
