/** Limits of HTTP, each with its reason. */

/** The request line and all headers: the largest that a client of MCP sends is a mirrored parameter. Above it: 431. */
export const headerBytesMax = 16 * 1024

/** A header arrives at once, or somebody holds connections open for their own sake. */
export const headersMsMax = 10_000

/** The same for a whole request: 4 MiB in this time is a slow line, and no one's agent is on a slower one. */
export const requestMsMax = 30_000

/** How often connections are looked through for those that take too long. */
export const connectionsCheckMs = 1_000

/** A connection is kept for the next request for so long: longer than the proxies and clients that use it again. */
export const keepAliveMs = 65_000

/** Each holds a descriptor and memory; more callers than this need a second gate. */
export const connectionsMax = 10_000

/** Open sessions: each has its requests under way, and its streams on both sides. */
export const sessionsMax = 4_096

/** Of one caller: clients that leave their sessions behind have some hundreds, and no one keeps the others out. */
export const sessionsPerCallerMax = 1_024

/** Streams that a client opens beside its calls, in one session: one is usual, and some while it resumes others. */
export const sessionStreamsMax = 16

/** Of one caller, in all of its sessions and outside of them: a stream holds one of the connections. */
export const openStreamsPerCallerMax = 2_048

/** Messages that wait for a stream to be opened on which they can be told; the last ones are kept. */
export const untoldMessagesMax = 64

/** The same in bytes: what nobody listens to costs no more than that. */
export const untoldBytesMax = 2 * 1024 * 1024

/** Of one session, of which something can be told again: a call that takes long is one, and so is what was opened with GET. */
export const keptStreamsMax = 64

/** What was told on streams of the gate's own, in one session: enough for the progress and the answers of some calls. */
export const keptMessagesMax = 256

/** The same in bytes of memory; of an answer that is larger nothing is kept. */
export const keptBytesMax = 2 * 1024 * 1024

/** What a message takes in memory beside its text. */
export const keptMessageBytes = 256

/** In all sessions of one server: the session that keeps most gives up its oldest. */
export const keptAllBytesMax = 32 * 1024 * 1024

/** A call of a session that takes longer is answered by a stream that can be resumed; most take less, and get JSON. */
export const primeMs = 1_000

/** Processes of one stdio server: each is a program of its own, with 50 MB and more. */
export const processesMax = 64

/** Of one caller: a quarter, so that it takes several to fill the machine. */
export const processesPerCallerMax = 16

/** A process that nobody has used for so long makes room for another caller when there are too many. */
export const processIdleMsMin = 60_000

/** Requests of one upstream at a time, without those streams: above it callers are told to come back. */
export const exchangesMax = 4_096

/** Of one caller: no agent has so many calls under way. */
export const exchangesPerCallerMax = 1_024

/** How often it is said on stderr that callers are told to wait: whoever asks again and again must not fill the log. */
export const busyToldMs = 60_000

/** Of so many callers in that time: the log of a gate that is overrun says no more than that. */
export const busyToldItemsMax = 100

/** How long a caller is told to wait when a limit of this page is reached. */
export const retryAfterSeconds = 5

/** A session id is a header of every request. */
export const sessionIdCharsMax = 256

/** SDK clients end no session that they leave: one that was not used for so long is over. */
export const sessionIdleMsMax = 30 * 60_000

/** A stream that broke may be resumed for so long; after that the outcome of its call is unknown for good. */
export const resumeMsMax = 5 * 60_000

/** A stream that ended is asked for again after this time, when the server does not say when. */
export const retryMsDefault = 1_000

/** Each time that it cannot be had doubles that, up to here. */
export const retryMsMax = 30_000

/** How often sessions and broken calls are looked through. */
export const sweepMs = 15_000

/** An upstream that takes longer to accept a connection has no room for us. */
export const connectMsMax = 10_000

/** An answer above this is not read on until its caller has taken it: what a slow one costs in memory. */
export const unreadAnswerBytesMax = 256 * 1024

/** An answer up to here is copied, to be written together with its headers; a larger one costs more to copy. */
export const oneWriteBytesMax = 64 * 1024

/** Calls that are judged in one transaction: above it, those that came first would wait for the others. */
export const judgedTogetherMax = 64

/** Tools of one server whose parameters stand in headers as well: names come from outside, so the memory is bounded. */
export const toolsWithParametersMax = 2_000

/** Parameters of one tool that stand in headers: all headers together have 16 KiB. */
export const repeatedParametersMax = 64

/** What an upstream says beside MCP (an error page) is read up to here and not passed on. */
export const errorBytesMax = 256 * 1024

/** When the gate is told to end, calls under way have so long to finish. Below the 10 s after which Docker kills. */
export const drainMsMax = 8_000

/** How long those whose call was broken off then have to be told so. */
export const lastWordsMs = 500
