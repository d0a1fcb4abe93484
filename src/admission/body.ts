/** The body of a request, read as strictly as a message on the wire: two readers must not take it for different things. */
import type { NextFunction, Request, Response } from 'express'
import { readBody } from '../http/body.ts'
import type { Json } from '../model/canonical.ts'
import { TollgateError } from '../model/errors.ts'
import { isObject, readJson } from '../model/message/json.ts'
import type { JsonObject } from '../model/message/message.ts'

/** Leaves the bytes in `request.body`: undefined where there are none. Answers 413 and 415 itself, through the errors. */
export function bytes(bytesMax: number) {
  return async (request: Request, _: Response, next: NextFunction): Promise<void> => {
    const { 'content-encoding': packed, 'content-type': type = '' } = request.headers
    if (packed !== undefined && packed !== 'identity')
      throw new TollgateError('body_type_unsupported', 'a packed body is not unpacked: send it as it is')
    const body = await readBody(request, bytesMax)
    if (body === undefined) throw new TollgateError('body_too_large', `a body here has at most ${bytesMax} bytes`)
    if (body.length > 0 && !/^application\/json *(?:;|$)/i.test(type))
      throw new TollgateError('body_type_unsupported', 'a body is `application/json`: say so in `Content-Type`')
    request.body = body.length > 0 ? body : undefined
    next()
  }
}

/** Throws `request_invalid`. */
export function objectIn(body: unknown): JsonObject {
  const value = valueIn(body)
  if (isObject(value)) return value
  throw new TollgateError('request_invalid', 'the body must be a JSON object')
}

/** Undefined where there is no body. Throws `request_invalid`. */
export function valueIn(body: unknown): Json | undefined {
  if (!Buffer.isBuffer(body)) return undefined
  const read = readJson(body)
  if (read.ok) return read.value
  throw new TollgateError('request_invalid', read.message)
}

/** Throws `request_invalid`: a key that is not known is something that would not be done. */
export function requireKeys(said: JsonObject, known: readonly string[]): void {
  const unknown = Object.keys(said).find((key) => !known.includes(key))
  if (unknown === undefined) return
  const allowed = known.map((key) => `\`${key}\``).join(', ')
  throw new TollgateError('request_invalid', `unknown key ${JSON.stringify(unknown)}: ${allowed} are known`)
}
