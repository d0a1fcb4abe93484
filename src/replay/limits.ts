/** Limits of a replay. */

/** One decision in a file: a record has at most some hundred KB, a decision of OPA what its input has. */
export const valueBytesMax = 16 * 1024 * 1024

/** Rows of one table of a report: names come from outside. What comes after them is in the totals alone. */
export const reportRowsMax = 10_000
