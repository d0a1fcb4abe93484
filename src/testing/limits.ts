/** Limits of the tests of policies, each with its reason. */

/** Files with tests in one folder: more are no tests, but a folder that was not meant. */
export const testFilesMax = 10_000

/** Folders within folders that are looked through. */
export const foldersDeepMax = 32

/** How often a step makes its call: each is a transaction. */
export const timesMax = 100_000
