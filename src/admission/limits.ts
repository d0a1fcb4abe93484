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

/** How late it may be told that a request has expired. */
export const expiryMs = 5_000

/** A comment keeps a page's stream from being closed for silence. */
export const liveSilenceMs = 15_000

/** Requests in one answer of the API, and those that are over on the page. */
export const approvalsListedItemsMax = 1_000

/** Sessions in one answer of the API: the last of them. */
export const sessionsListedItemsMax = 1_000

/** Records that are added up at once: calls that are decided meanwhile wait no longer than this takes, some milliseconds. */
export const recordsAddedItems = 256

/** The file of who is told, and each secret that it names. */
export const notifyBytesMax = 64 * 1024

/** The file of approvers: names and digests, for more persons than a team has. */
export const approversBytesMax = 256 * 1024

/** How long somebody who is told of a request may take to say that they heard it. */
export const tellMsMax = 10_000

/** The first wait after a failure; each one doubles it. */
export const tellAgainMs = 1_000

/** The longest wait between two tries: who is back after an hour hears of it within ten minutes. */
export const tellAgainMsMax = 10 * 60_000

/** What nobody could be told of for so long is passed over: the request is over by then, or will be told of no better. */
export const tellGiveUpMs = 24 * 60 * 60_000

/** How far the clock of a sender may be from ours, as Standard Webhooks and Slack have it: an older message is a replay. */
export const callbackSkewMsMax = 5 * 60_000

/** Callbacks that are remembered for that long, so that none counts twice. Above it they are refused. */
export const callbacksRememberedItemsMax = 10_000

/** What Slack takes in one text of a message; a call that is longer is read on the page. */
export const slackTextCharsMax = 2_900

/** How long an answer under way has to finish when the gate ends. */
export const adminDrainMs = 1_000

/** A program that asks for every call of a busy gateway asks less often; more than this is a loop. */
export const adminRequestsPerSecondMax = 5_000

/** Calls whose outcome is still to be told: a gateway has fewer under way, and each is kept in memory. */
export const reservationsOpenMax = 10_000

/** How long an outcome may take where the request does not say: tools that run longer say so. */
export const outcomeMs = 15 * 60_000

/** A day: what nobody has told by then will not be told. */
export const outcomeMsMax = 24 * 60 * 60_000

/** Registered runs: more than one gate serves. */
export const runsMax = 10_000

/** A run that its host does not register again is over. */
export const runExpirySeconds = 60 * 60

/** A week: no run of an agent is one for longer. */
export const runExpirySecondsMax = 7 * 24 * 60 * 60

/** Decisions in one answer, where the request does not say. */
export const decisionsListedItems = 100

/** Decisions in one answer at most: the gate judges no calls while it is made. */
export const decisionsListedItemsMax = 1_000

/** Records that are looked through for one answer: then it ends, and says where to go on. */
export const recordsSearchedItemsMax = 10_000

/** Reason codes, servers and their like that metrics tell apart; what comes after them is `other`. */
export const labelValuesMax = 100

/** ToolHive sends at most 1 MiB of a message, and says a little of it besides. */
export const toolhiveBodyBytesMax = 1280 * 1024

/** A message to ExtMcp: the largest call that is judged and what is said besides, or the list of a server. */
export const extMcpMessageBytesMax = 8 * 1024 * 1024

/** A gateway asks over a few connections, many calls on each. */
export const extMcpConnectionsMax = 100
