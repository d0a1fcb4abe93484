// Bounds of the compiler, each with its reason.

/** The compiler needs about 4 s for 1,000 packages; a minute is ten times what a large policy set takes. */
export const requestMsMax = 60_000

/** A thousand tools are about 1 MB of Rego; this leaves room for data and stops a runaway generator. */
export const requestBytesMax = 64 * 1024 * 1024

/** An answer is a module in base64 or a report: larger than any request needs, smaller than what hurts the parent. */
export const answerBytesMax = 256 * 1024 * 1024

/** Go recurses on the thread's own stack: at 1 MB a body of a few thousand expressions overflows it. */
export const stackMbMax = 64

/** Memory of the compiler grows with a request and never shrinks, so an idle process is not kept for long. */
export const idleMsMax = 30_000

/** A gate compiles what it was started with and then nothing for hours: its compiler waits for the next layer alone. */
export const sharedIdleMsMax = 1_000

/** A crash of the Go runtime names its cause in its first lines; the pages of stacks after it are dropped. */
export const crashReportBytesMax = 2_000

/** Every edit of a policy leaves an entry: enough for many policies, few enough to list at once. */
export const cacheEntriesMax = 200

/** No module of this size was ever seen; a larger file in the cache folder is not read. */
export const cacheEntryBytesMax = 128 * 1024 * 1024
