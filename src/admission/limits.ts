/** Limits of the admission server, each with its reason. */

/** Persons and programs of the operator: more connections than this are not theirs. */
export const adminConnectionsMax = 1_000

/** A reason, an id and a token: nothing that is sent here is longer. */
export const adminBodyBytesMax = 64 * 1024

/** Persons who are signed in at once: the one who was so for longest is signed out for the next. */
export const signInsMax = 1_000

/** A working day: then a key or a token is asked for again. */
export const signInMsMax = 8 * 60 * 60_000

/** Pages that are kept up to date at once, each of which holds a connection. */
export const liveStreamsMax = 200

/** How often the ledger is asked for changes while pages are open. */
export const liveMs = 500

/** A comment keeps a page's stream from being closed for silence. */
export const liveSilenceMs = 15_000

/** Requests in one answer of the API, and those that are over on the page. */
export const approvalsListedItemsMax = 1_000

/** The file of approvers: names and digests, for more persons than a team has. */
export const approversBytesMax = 256 * 1024

/** How long an answer under way has to finish when the gate ends. */
export const adminDrainMs = 1_000
