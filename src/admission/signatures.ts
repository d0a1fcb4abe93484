/**
 * Who signs what: Standard Webhooks (`webhook-id`, `webhook-timestamp`, `webhook-signature`), and Slack's requests (`v0`). A
 * message counts once, and only while it is fresh: what was recorded on the way is worth nothing later.
 */
import { createHmac, hash, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { TollgateError } from '../model/errors.ts'
import { callbackSkewMsMax, callbacksRememberedItemsMax } from './limits.ts'

/** `whsec_` and the key in Base64, of 24 to 64 bytes. Throws a sentence. */
export function webhookKey(secret: string): Buffer {
  const [, text = ''] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret.trim()) ?? []
  const key = Buffer.from(text, 'base64')
  if (key.length < 24 || key.length > 64) throw new Error('a secret is `whsec_` and 24 to 64 bytes in Base64')
  return key
}

export interface Envelope {
  readonly id: string
  /** Unix seconds. */
  readonly timestamp: string
  readonly body: string | Uint8Array
}

export function webhookSignature(key: Buffer, { id, timestamp, body }: Envelope): string {
  return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64')}`
}

export function slackSignature(secret: string, { timestamp, body }: Omit<Envelope, 'id'>): string {
  return `v0=${createHmac('sha256', secret).update(`v0:${timestamp}:`).update(body).digest('hex')}`
}

/** Gives the id of the message. Throws `callback_unsigned`. */
export function verifyWebhook(key: Buffer, headers: IncomingHttpHeaders, body: Uint8Array, now: number): string {
  const [id, timestamp, given] = ['webhook-id', 'webhook-timestamp', 'webhook-signature'].map((name) => headers[name])
  if (typeof id !== 'string' || typeof timestamp !== 'string' || typeof given !== 'string' || id.length > 256)
    throw unsigned('it has no signature')
  requireFresh(timestamp, now)
  const expected = webhookSignature(key, { id, timestamp, body })
  // Several, while one secret follows another.
  if (!given.split(' ').some((one) => isSame(one, expected))) throw unsigned('its signature is wrong')
  return id
}

/** Gives what names the message, which Slack does not number. Throws `callback_unsigned`. */
export function verifySlack(secret: string, headers: IncomingHttpHeaders, body: Uint8Array, now: number): string {
  const [timestamp, given] = ['x-slack-request-timestamp', 'x-slack-signature'].map((name) => headers[name])
  if (typeof timestamp !== 'string' || typeof given !== 'string') throw unsigned('it has no signature')
  requireFresh(timestamp, now)
  const expected = slackSignature(secret, { timestamp, body })
  if (!isSame(given, expected)) throw unsigned('its signature is wrong')
  return expected
}

/** Callbacks that counted: none counts again. */
export class Heard {
  readonly #until = new Map<string, number>()
  readonly #from: number

  /** What was sent before `now` was sent to another process, which remembers what counted; this one does not. */
  constructor(now: number) {
    this.#from = now
  }

  /** Throws `callback_replayed`. */
  requireNew(id: string, timestamp: unknown, now: number): void {
    for (const [old, until] of this.#until) if (until <= now) this.#until.delete(old)
    // Whole seconds: one that was sent in the second in which this process began may be new.
    if (Number(timestamp) < Math.floor(this.#from / 1_000) || this.#until.has(id))
      throw new TollgateError('callback_replayed', 'this callback was heard already')
    if (this.#until.size >= callbacksRememberedItemsMax)
      throw new TollgateError('callback_replayed', 'too many callbacks come at once to know which are new')
  }

  /** It was understood, whatever came of it. */
  remember(id: string, now: number): void {
    this.#until.set(id, now + 2 * callbackSkewMsMax)
  }
}

function requireFresh(timestamp: string, now: number): void {
  const apart = Math.abs(now - Number(timestamp) * 1_000)
  if (!/^\d{1,12}$/.test(timestamp) || apart > callbackSkewMsMax) throw unsigned('it is not of now')
}

function isSame(given: string, expected: string): boolean {
  return timingSafeEqual(hash('sha256', given, 'buffer'), hash('sha256', expected, 'buffer'))
}

function unsigned(why: string): TollgateError {
  return new TollgateError('callback_unsigned', `the callback is refused: ${why}`)
}
