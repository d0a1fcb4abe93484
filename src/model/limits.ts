/** A limit beside everything that can grow, each with its reason. */

/** The client SDKs refuse larger HTTP bodies; a call above it is a denial, never judged in part. */
export const callBytesMax = 4 * 1024 * 1024

/** Past this a line is discarded as it arrives: no memory is spent to learn the id of such a call. */
export const lineBytesMax = 64 * 1024 * 1024

/** Deeper JSON has no honest use in a call and exhausts recursive parsers behind the gate. */
export const jsonDepthMax = 64

/** Thousands of chosen keys in one object flood unseeded hash tables behind the gate (153 ms for 4,000). */
export const objectKeysMax = 1_024

/** What the policy reads of one call: the WASM costs 19 ns a byte, so this bounds a decision at about 5 ms. */
export const inputBytesMax = 256 * 1024

/** Tool, prompt and principal names: longer ones serve nobody and would bloat counters and records. */
export const nameCharsMax = 512

/** Groups of one caller: they stand in every record. A caller with more is refused, as none of them may be left out. */
export const groupsMax = 200

/** What is kept of the claims of a caller, as canonical JSON: it stands in every input and every record. */
export const claimsCharsMax = 4_096

/** Resource URIs. */
export const uriCharsMax = 8_192

/** The value of an argument that a limit counts by. */
export const perValueCharsMax = 256

/** Arguments above this are recorded by digest alone. */
export const recordedArgumentsBytesMax = 64 * 1024

/** A policy source file; real ones stay below 100 KB. */
export const policyBytesMax = 4 * 1024 * 1024

/** Every amount and every sum stays an exact integer in JavaScript, SQLite and the WASM. */
export const microMax = Number.MAX_SAFE_INTEGER

/** Micro-units in one unit of currency. */
export const microPerUnit = 1_000_000

/** How long one call may wait for another process to finish with the ledger before it is refused. */
export const ledgerBusyMs = 2_000

/** Targets whose plan is remembered; names come from outside, so the memory is bounded. */
export const plansRememberedMax = 2_000

/** Targets whose place in lists is remembered: of a server with thousands of them, a list is asked for again and again. */
export const visibleRememberedMax = 10_000

/** What is recorded of why a policy did not become active: a file may have thousands of mistakes. */
export const recordedDetailCharsMax = 4_096

/** Rules, entries and conditions of one policy, so that compile time stays in seconds. */
export const policyRulesMax = 10_000

/** Layers that judge one call: each costs what a policy of its own costs. */
export const layersMax = 16

/** The name of a layer: it stands in every record. */
export const layerNameCharsMax = 64

/** Memory of one policy instance, in pages of 64 KiB: 64 MiB holds any input we admit many times over. */
export const wasmPagesMax = 1_024

/** A decision takes microseconds; one that took this long is a symptom, and comes too late to be trusted. */
export const evaluationMsMax = 1_000

/** What was decided in time is proved on slower machines and busier ones, where it is no less true. */
export const provingMsMax = 60_000

/** What Rego of others says of a call: a sentence, a code, a name. More is none that anybody reads. */
export const regoTextCharsMax = 1_000

/** What a module that came from elsewhere may take to be loaded and asked once: a large one on a busy machine needs a second. */
export const trialMsMax = 5_000

/** How long a held call waits for a person when the policy does not say. */
export const approvalTimeoutMsDefault = 15 * 60_000

/** An approval that nobody gives within a month is a forgotten one. */
export const approvalTimeoutMsMax = 30 * 86_400_000

/** A client that waits for an hour has given up long before; a call that takes longer is made again. */
export const approvalWaitMsMax = 60 * 60_000

/** Persons who have to approve one call: more never come together in time. */
export const approvalQuorumMax = 10

/** Calls that wait for a person in one ledger: more than people can read are none that they decide with care. */
export const approvalsPendingMax = 1_000

/** Of one caller: an agent that asks without end does not keep the requests of others out. */
export const approvalsPendingPerCallerMax = 100

/** Arguments of a call that a person is asked about: nobody reads more, and approving means having seen them. */
export const approvalArgumentsBytesMax = 64 * 1024

/** The name of an approver, and of the system's user behind it. */
export const approverCharsMax = 128

/** Why a person approved or rejected, in their own words. */
export const approvalReasonCharsMax = 1_000

/** How long a request that is over can be looked at; its records stay. */
export const approvalsKeptMs = 30 * 24 * 60 * 60_000

/** Calls that one gate keeps open for a person's answer: each holds a connection, or memory for a client's request. */
export const keptOpenMax = 1_000

/** How often the ledger is asked whether another process has answered: a person does not notice it, nor does a disk. */
export const answersPollMs = 250

/** Tools of one server of which a definition is known: the largest servers have some hundreds. More are not shown. */
export const toolsKnownMax = 4_096

/** Definitions of one tool that nobody has accepted: a server that makes up another one each time fills no ledger. */
export const heldDefinitionsMax = 8

/** What is kept of a definition, to be compared later: real ones stay below 10 KB. Larger ones have a digest alone. */
export const definitionBytesMax = 256 * 1024

/** How long outcomes wait for each other: together they cost a fraction, and none stands in the way of a call. */
export const outcomeDelayMs = 5
