/** Limits of the places where bundles come from, each with its reason. */

/** A server that does not take a connection in this time is down. */
export const connectMsMax = 5_000

/** From the question to the last byte of the answer, beyond the time that a long poll may take: one byte now and then is no answer. */
export const answerMsMax = 60_000

/** How long a server may take to begin its answer, beyond the time that a long poll may take. */
export const headersMsMax = 15_000

/** More often than this is not asked, whatever a server answers. */
export const pollMsMin = 1_000

/** A day: a gate that asks less often is not supplied. */
export const pollMsMax = 24 * 60 * 60_000

/** Servers, and the proxies between, hold no answer for longer. */
export const waitMsMax = 10 * 60_000

/** What was held for less was not held. */
export const heldMsMin = 500

/** The first wait after a failure; each one is 1.6 times the one before it, as OPA waits. */
export const retryMs = 100

/** How often files and folders are looked at. */
export const lookMs = 1_000

/** The same bytes are verified again so often while they are no good: keys may have been added. */
export const verifyAgainMs = 10_000

/** A server is asked for the whole bundle so often, though it says that nothing changed: one that always says so is found out. */
export const wholeAgainMs = 60 * 60_000

/** How long a start without a kept bundle tries to reach a server: those that start together need not be there at once. */
export const startMsMax = 20_000

/** Redirects on one host that are followed: more of them are a circle. */
export const redirectsMax = 3

/** An ETag is a digest or a version: a longer one is not remembered. */
export const etagCharsMax = 256

/** A manifest of a registry names one layer: real ones have one or two KiB. */
export const manifestBytesMax = 1024 * 1024

/** What a registry answers when it is asked for a token. */
export const tokenBytesMax = 64 * 1024

/** A file with a token or with certificates: real ones have some KiB. */
export const secretBytesMax = 1024 * 1024

/** The line that says what is kept: places and revisions are no longer. */
export const keptStateBytesMax = 64 * 1024

/** What was written so long ago and counts for nothing is of a process that ended. */
export const leftOverMs = 60 * 60_000

/** Files of a folder that is a bundle: as many as one in an archive may have. */
export const folderFilesMax = 10_000

/** Bundles of one gate: as many as it may have layers. */
export const bundlesMax = 16

/** A status without news is told so often all the same: who hears nothing takes a gate for gone. */
export const statusAgainMs = 60_000

/** How long a service may take to hear the status; then it hears the next one. */
export const statusMsMax = 10_000

/** Gates that ask a bundle server at once: more than a small team has. */
export const servedConnectionsMax = 2_000

/** Answers that a bundle server holds at once; others hear at once that nothing changed. */
export const heldItemsMax = 1_000

/** Bundles that a bundle server has in memory: those that were read first are read again. */
export const servedBundlesMax = 64

/** How often a bundle server looks for changes while answers are held. */
export const servedLookMs = 250

/** The status of a gate with as many bundles as it may have. */
export const statusBytesMax = 256 * 1024
