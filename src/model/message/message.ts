/** A JSON-RPC message from the agent's side, once it is known to have one reading. */
import type { Json } from '../canonical.ts'
import type { Method } from '../policy.ts'
import type { ReasonCode } from '../reasons.ts'

export type Id = string | number

export type JsonObject = { readonly [key: string]: Json }

interface Whole {
  /** The whole message; what goes on is its serialisation. */
  readonly value: JsonObject
  /** No string in it needs an escape when it is serialised. */
  readonly plain: boolean
}

export interface Request extends Whole {
  readonly kind: 'request'
  readonly id: Id
  readonly method: string
  readonly params: JsonObject | undefined
  /** What the request does, when it does something that a policy has a word about. */
  readonly act?: Act
}

export interface Notification extends Whole {
  readonly kind: 'notification'
  readonly method: string
  readonly params: JsonObject | undefined
}

/** An answer to a request of the server. */
export interface Response extends Whole {
  readonly kind: 'response'
  readonly id: Id | null
}

export type Message = Request | Notification | Response

/** What is acted on, as the policy names it. */
export interface Act {
  readonly method: Method
  readonly name: string
  readonly arguments: JsonObject
  /** The method that was asked, where it is judged as another one. */
  readonly asked?: string
}

/** Why a message is not acted upon, and as much of it as is beyond doubt, so that its sender can be answered. */
export interface Unreadable {
  readonly ok: false
  readonly reason: Extract<ReasonCode, 'MALFORMED_CALL' | 'CALL_TOO_LARGE'>
  /** A sentence for the caller. */
  readonly message: string
  /** False for what is not JSON at all. */
  readonly json: boolean
  readonly id?: Id
  readonly method?: string
  /** True for an answer to a request of the server: it is the server that waits, not the client. */
  readonly response?: boolean
}

export type ReadMessage = { readonly ok: true; readonly message: Message } | Unreadable
