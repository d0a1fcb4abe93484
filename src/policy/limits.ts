/** Limits of the policy languages, each with its reason. A file's size and its number of rules are in `model/limits.ts`. */

/** Lexical tokens of a file: the YAML parser needs about a kilobyte for each, so this bounds its memory. */
export const policyTokensMax = 1_000_000

/** Deeper than any policy goes, far less deep than the parser's stack. */
export const policyDepthMax = 64

/** Values that aliases stand for, all together: nine lines of YAML can expand to a billion. */
export const aliasedValuesMax = 100_000

/** Past this many mistakes nobody reads on. */
export const diagnosticsMax = 1_000

/** Rule names, policy ids, reason codes: they are repeated in every record. */
export const labelCharsMax = 256

/** Texts for people: what a denial says, descriptions. */
export const textCharsMax = 4_096

/** A pattern is compiled on every evaluation. */
export const patternCharsMax = 1_000

/** A pattern of another language as RE2: sets are written out, and letters in both cases. */
export const translatedCharsMax = 20_000

/**
 * Character ranges of a compiled pattern. The runtime's RE2 gives up at about 290,000 and needs a quarter of a second
 * for them; within this it always compiles.
 */
export const patternCostMax = 100_000

/** From here on a pattern takes some milliseconds of every call, where a whole decision takes microseconds. */
export const patternCostNoted = 10_000

/** Ordered rules with globs, for each tool that is spelled out: each pair is a link of Rego, and a thousand are a second. */
export const spreadRulesMax = 20_000

/** Values in one `enum`, types, currencies or `per`: an evaluation walks them. */
export const listItemsMax = 10_000

/** A sliding window keeps a row for every call in it. */
export const slidingWindowMsMax = 31 * 86_400_000

/** Rules and conditions of one entry that are compared with each other for a warning: pairs grow with the square. */
export const comparedRulesMax = 1_000

/** Entries that refuse everything and are compared with all others for a warning. */
export const comparedEntriesMax = 100

/** Values of an `enum` that are compared one by one for a warning. */
export const comparedValuesMax = 100

/** Patterns that are tried on a way out of a folder for a warning: each is compiled. */
export const triedPatternsMax = 1_000

/** Names of counters that are compared with all others for a spelling: a file with more is wrong all over. */
export const hintedCountersMax = 20
