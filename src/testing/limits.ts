/** Limits of the tests of policies, each with its reason. */

/** Files with tests in one folder: more are no tests, but a folder that was not meant. */
export const testFilesMax = 10_000

/** Folders within folders that are looked through. */
export const foldersDeepMax = 32

/** How often a step makes its call: each is a transaction. */
export const timesMax = 100_000

/** Values of one list that mutation leaves out, one at a time: of longer lists the first of them stand for all. */
export const valuesChangedMax = 16

/** Processor time in which a call is looked for that shows a change which no case notices: some milliseconds do for most. */
export const searchMsMax = 3_000

/** The same for all changes of one policy: whoever waits for them is told what was found. */
export const searchesMsMax = 10_000
