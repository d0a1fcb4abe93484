/**
 * Calls of the stateless revision wait for a person in legs: before its client would give up, the call is answered with
 * `input_required` and a state, and the client makes the same call again with it. The state opens nothing, the ledger alone
 * does: it says since when the call waits, and keeps what the call itself carried in the place of the state.
 */
import { createHmac, hash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Principal } from '../model/call.ts'
import { canonical, type Json } from '../model/canonical.ts'
import { isObject } from '../model/message/json.ts'
import type { JsonObject, Request } from '../model/message/message.ts'
import { legStateCharsMax } from './limits.ts'

export interface Leg {
  /** Unix milliseconds. */
  readonly since: number
  /** How often the call was made before. */
  readonly rounds: number
}

/** What the call carried itself: it goes on with it. */
interface Carried {
  readonly requestState?: Json
  readonly inputResponses?: Json
}

interface Sealed extends Leg {
  /** Digest of the call and its caller. */
  readonly call: string
  readonly carried: Carried
}

/** Under which name the client answers that the page was opened, or not. */
export const askedName = 'tollgate_approval'

export type Resumed = { readonly request: Request; readonly leg: Leg; readonly declined: boolean }

const prefix = 'tollgate-wait.'

/** Of this process: the state of another one is not known here, and its call is made anew. */
const key = randomBytes(32)

/** Undefined where what the call carries is too much to be sent back and forth. */
export function legState(leg: Leg, request: Request, caller: Caller): string | undefined {
  const { requestState, inputResponses } = request.params ?? {}
  const carried = {
    ...(requestState !== undefined && { requestState }),
    ...(inputResponses !== undefined && { inputResponses }),
  }
  const sealed: Sealed = { ...leg, call: digestOf(request, caller), carried }
  const text = Buffer.from(JSON.stringify(sealed)).toString('base64url')
  const state = `${prefix}${text}.${signatureOf(text)}`
  return state.length <= legStateCharsMax ? state : undefined
}

export interface Caller {
  readonly server: string
  readonly principal: Principal
}

/** Undefined for a call without a state of ours; `odd` where it is not one for this very call. */
export function resumed(request: Request, caller: Caller): Resumed | 'odd' | undefined {
  const { requestState: state, inputResponses: responses, ...params } = request.params ?? {}
  if (typeof state !== 'string' || !state.startsWith(prefix)) return undefined
  const sealed = openedState(state)
  if (sealed === undefined || sealed.call !== digestOf(request, caller)) return 'odd'
  const { since, rounds, carried } = sealed
  const whole = { ...params, ...carried } as JsonObject
  // The state and the answers that go on are other ones, so the text is written anew.
  const meant: Request = { ...request, params: whole, value: { ...request.value, params: whole }, plain: false }
  return { request: meant, leg: { since, rounds }, declined: isDeclined(responses) }
}

/** Whoever opened the page has answered nothing yet. */
function isDeclined(responses: Json | undefined): boolean {
  if (!isObject(responses) || !Object.hasOwn(responses, askedName)) return false
  const said = responses[askedName]
  return !isObject(said) || said['action'] !== 'accept'
}

function openedState(state: string): Sealed | undefined {
  const [text = '', signature = '', ...rest] = state.slice(prefix.length).split('.')
  const [given, expected] = [Buffer.from(signature), Buffer.from(signatureOf(text))]
  if (rest.length > 0 || given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined
  return JSON.parse(Buffer.from(text, 'base64url').toString('utf8'))
}

function signatureOf(text: string): string {
  return createHmac('sha256', key).update(text).digest('base64url')
}

/** What the client changes from leg to leg is not part of it: the id, `_meta`, the state and the answers. */
function digestOf({ method, params = {} }: Request, { server, principal }: Caller): string {
  const { _meta: _, requestState: __, inputResponses: ___, ...call } = params
  return hash('sha256', canonical({ method, call, server, principal } as unknown as Json))
}
