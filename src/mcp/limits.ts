/** Limits of the wire, each with its reason. */

/** Requests without an answer; a client with more of them has lost count, and each costs memory here. */
export const inFlightMax = 4_096

/** A call that waits for a person says so at once and then this often: below what clients and proxies take for silence. */
export const stillWaitingMs = 10_000

/**
 * How long a call is kept open for a client that is not told that it waits, or in one leg of several: SDK clients give up
 * after 60 s, and what they gave up never runs.
 */
export const quietWaitMsMax = 45_000

/** How often a call that waits is answered so that its client comes back: SDK clients stop after ten such answers in all. */
export const legsMax = 8

/** What a client sends back with the next leg of a call that waits. */
export const legStateCharsMax = 64 * 1024

/** Cancelled requests whose answer may still come: servers should not send one, so few are worth the memory. */
export const cancelledRememberedMax = 256

/** Resources of one subscription: each is judged and recorded, and a message has room for a hundred thousand of them. */
export const subscribedUrisMax = 256

/** How long a client may show a filtered list from its cache: it bounds how long a change of policy goes unseen. */
export const listTtlMsMax = 60_000

/**
 * After the end of its input, and again after SIGTERM, a server has this long to end. Client SDKs wait 2 s before
 * each such step with us: both steps have to be over before they kill the gate and leave the server an orphan.
 */
export const stopGraceMs = 1_500

/** The server of a caller that is stopped has this long to hear what was cancelled, before SIGTERM: nothing more is wanted of it. */
export const stoppedGraceMs = 250

/** After the server's exit, how long its output may stay silent (a grandchild may hold the pipe open). */
export const drainMs = 500

/** Unread output above this stops the reading of what causes it: so much is in memory for a reader that sleeps. */
export const unreadBytesMax = 256 * 1024
