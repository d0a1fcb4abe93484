/** Limits of finding out who calls, each with its reason. */

/** A token with many groups has some thousand characters; a longer one does not fit into the headers of a request. */
export const tokenCharsMax = 12 * 1024

/** Clocks of servers differ by seconds: more than this lets tokens live on that are over. */
export const clockSkewMsMax = 5 * 60_000

/** Tokens that were verified and are remembered until they end: each costs some hundred bytes. */
export const tokensRememberedMax = 2_000

/** What an issuer answers when it is asked for its keys: real ones have a few KiB. */
export const jwksBytesMax = 256 * 1024

/** An issuer that takes longer for its keys is down: callers wait for it. */
export const jwksFetchMsMax = 5_000

/**
 * A file of keys that cannot be read again counts for so long as it was: for whoever broke it to mend it, and no longer, as a
 * key may have been taken back in it.
 */
export const followedStaleMsMax = 15 * 60_000

/** Keys that cannot be had anew are believed for so long after they were had last; after that no token is. */
export const jwksStaleMsMax = 60 * 60_000

/** Keys of one file of API keys: each presented key is compared with all of them. */
export const apiKeysMax = 10_000

/** A file with keys, a certificate or a credential: real ones stay far below. */
export const secretBytesMax = 4 * 1024 * 1024

/** Reasons that are remembered as told: some have a word of the caller in them. */
export const reasonsToldMax = 200

/** How often somebody who is refused for one reason is told about on stderr. */
export const toldAgainMs = 60_000
