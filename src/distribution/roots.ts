/** Bundles of one gate own what they have: two that claim the same could speak for each other. */
import { TollgateError } from '../model/errors.ts'
import { rootsOverlap } from '../opa/manifest.ts'

interface Rooted {
  readonly name: string
  readonly roots: readonly string[]
}

/** Throws `bundle_roots_overlap`. */
export function requireDisjoint(bundles: readonly Rooted[]): void {
  const owned = bundles.flatMap(({ name, roots }) => roots.map((root) => ({ name, root })))
  for (const [index, one] of owned.entries()) {
    const other = owned.slice(0, index).find(({ name, root }) => name !== one.name && rootsOverlap(root, one.root))
    if (other)
      throw new TollgateError(
        'bundle_roots_overlap',
        `bundles \`${other.name}\` and \`${one.name}\` both own \`${one.root.length > other.root.length ? one.root : other.root}\`: give each roots of its own`,
      )
  }
}
