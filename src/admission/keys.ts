/** Who asks the API: a key with each request, which may do what its line says and no more. */
import type { NextFunction, Request, Response } from 'express'
import type { Approver } from '../model/approval.ts'
import { TollgateError } from '../model/errors.ts'
import { fail } from './faults.ts'
import { type AdmissionPorts, basicOf, bearerOf } from './ports.ts'
import { Rates } from './rates.ts'
import type { KeyHolder, Scope } from './scopes.ts'

export function authenticated({ keyHolderOf }: AdmissionPorts) {
  const rates = new Rates()
  return async (request: Request, response: Response, next: NextFunction) => {
    const credential = bearerOf(request) ?? (response.locals['mayBeBasic'] === true ? basicOf(request) : undefined)
    const known = credential === undefined ? undefined : await keyHolderOf(credential)
    if (known === undefined) {
      response.setHeader('www-authenticate', 'Bearer realm="tollgate"')
      const message =
        credential === undefined
          ? 'a key is wanted: `Authorization: Bearer KEY`'
          : 'this key counts for nothing here: its line must stand in the file of `--approvers`, or it must be a token that `approver_tokens` takes'
      return fail(response, { status: 401, code: 'unauthenticated', message })
    }
    if (!rates.take(known.holder.name, Date.now()))
      return fail(response, {
        status: 429,
        code: 'rate_exceeded',
        message: 'too many requests with this key: ask later',
      })
    response.locals['known'] = known
    next()
  }
}

/** Throws `scope_missing` for others. */
export function scoped(scope: Scope) {
  return (_: Request, response: Response, next: NextFunction) => {
    requireScope(response, scope, 'here')
    next()
  }
}

export function requireScope(response: Response, scope: Scope, why: string): void {
  const { scopes } = knownIn(response)
  if (scopes.includes(scope)) return
  throw new TollgateError(
    'scope_missing',
    `this key has ${scopes.map((one) => `\`${one}\``).join(', ')}, and \`${scope}\` is needed ${why}: use another key, or add the scope to its line`,
  )
}

/** The name on the key's line. */
export function holderIn(response: Response): string {
  return knownIn(response).holder.name
}

export function approverIn(response: Response): Approver {
  return knownIn(response).holder
}

function knownIn(response: Response): KeyHolder {
  return response.locals['known'] as KeyHolder
}
