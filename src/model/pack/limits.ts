/** Limits of what a run says of itself, each with its reason. Figures for whole calls are in `model/limits.ts`. */

/** Ids, namespaces, branches: longer ones serve nobody and stand in every record. */
export const attributeCharsMax = 512

/** A path in a repository, and a pattern for one: file systems take no longer ones. */
export const pathCharsMax = 1_024

/** Paths of one change that are looked at; a pack allows far fewer. */
export const changedPathsMax = 10_000

/** Evidence records, change classes and scopes of an approval that one run names. */
export const runItemsMax = 256

/** Wildcards of one path pattern: each makes the slowest match slower. */
export const starsMax = 6
