/** A client that opens pages for its user is sent to the page of a request (URL mode elicitation): how it is asked, and taken back. */
import { randomUUID } from 'node:crypto'
import type { Decision, DecisionApproval } from '../model/decision.ts'
import { isObject } from '../model/message/json.ts'
import type { JsonObject } from '../model/message/message.ts'
import { askedName } from './legs.ts'
import { clientCapabilitiesKey } from './methods.ts'
import { type Plan, toClient } from './plan.ts'
import { cancelledLine } from './stopped.ts'

/** Of the earlier eras: a request of ours, while the call waits. */
export interface Question {
  readonly id: string
  readonly asked: Plan
  /** The client has not answered it, and shows it to its user. */
  isOpen: boolean
}

const method = 'elicitation/create'
const prefix = 'tollgate-approval-'

/** Does the client open pages for its user? */
export function opensPages(capabilities: unknown): boolean {
  const elicitation = isObject(capabilities) ? capabilities['elicitation'] : undefined
  return isObject(elicitation) && isObject(elicitation['url'])
}

/** In the stateless revision each request says so. */
export function requestOpensPages(params: JsonObject | undefined): boolean {
  return opensPages((params?.['_meta'] as JsonObject | undefined)?.[clientCapabilitiesKey])
}

export function question(page: string, approval: DecisionApproval): Question {
  const id = `${prefix}${randomUUID()}`
  const params = { elicitationId: id, ...pageParams(page, approval) }
  return { id, asked: toClient(JSON.stringify({ jsonrpc: '2.0', id, method, params })), isOpen: true }
}

/** Nobody waits for its answer any more: the client need not show it. */
export function takenBack(asked: Question): Plan {
  asked.isOpen = false
  return toClient(cancelledLine(asked.id, 'the call does not wait any more'))
}

export function isOfQuestion(id: unknown): boolean {
  return typeof id === 'string' && id.startsWith(prefix)
}

/** Whoever accepted opened the page, and has answered nothing there yet. All else is a no to the page. */
export function isAccepted(result: unknown): boolean {
  return isObject(result) && result['action'] === 'accept'
}

/** In the stateless revision: what the client does before it comes back. */
export function inputRequests(page: string, { approval }: Decision): object {
  return approval === undefined ? {} : { [askedName]: { method, params: pageParams(page, approval) } }
}

function pageParams(url: string, { id }: DecisionApproval): object {
  const message = `A person has to approve this call: ${id}. The page asks who you are, and shows the call.`
  return { mode: 'url', message, url }
}
