/** Persons who are signed in with a browser: a cookie that no script reads, and a token that only the page's own forms know. */
import { hash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Approver } from '../model/approval.ts'
import { signInMsMax, signInsMax } from './limits.ts'

export interface SignIn {
  readonly approver: Approver
  /** What every form of this person carries. */
  readonly formToken: string
}

interface Kept extends SignIn {
  readonly until: number
  /** A key that was taken back signs nobody in any longer. */
  readonly again: () => Promise<Approver | undefined>
}

const cookieName = 'tollgate'
const beforeName = 'tollgate_form'

export class SignIns {
  readonly #kept = new Map<string, Kept>()
  readonly #secure: string

  /** `secure`: browsers send the cookies over TLS alone. */
  constructor({ secure }: { readonly secure: boolean }) {
    this.#secure = secure ? '; Secure' : ''
  }

  /** Gives the cookie. */
  begin(approver: Approver, again: () => Promise<Approver | undefined>, now: number): string {
    for (const [id, { until }] of this.#kept) if (until <= now || this.#kept.size >= signInsMax) this.#kept.delete(id)
    const id = token()
    this.#kept.set(hash('sha256', id), { approver, again, formToken: token(), until: now + signInMsMax })
    return this.#cookie(cookieName, id, signInMsMax)
  }

  async of(request: IncomingMessage, now: number): Promise<SignIn | undefined> {
    const id = hash('sha256', cookieIn(request, cookieName))
    const kept = this.#kept.get(id)
    if (kept !== undefined && kept.until > now && (await kept.again())?.name === kept.approver.name) return kept
    this.#kept.delete(id)
    return undefined
  }

  /** Gives the cookie that takes the other one away. */
  end(request: IncomingMessage): string {
    this.#kept.delete(hash('sha256', cookieIn(request, cookieName)))
    return this.#cookie(cookieName, '', 0)
  }

  /** Before anybody is signed in, the form's token is that of a cookie. Gives both. */
  beforehand(): { readonly formToken: string; readonly cookie: string } {
    const formToken = token()
    return { formToken, cookie: this.#cookie(beforeName, formToken, signInMsMax) }
  }

  isBeforehand(request: IncomingMessage, formToken: unknown): boolean {
    const expected = cookieIn(request, beforeName)
    return expected !== '' && isSameToken(expected, formToken)
  }

  #cookie(name: string, value: string, ms: number): string {
    return `${name}=${value}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${ms / 1000}${this.#secure}`
  }
}

export function isSameToken(expected: string, given: unknown): boolean {
  if (typeof given !== 'string') return false
  const [one, other] = [hash('sha256', expected, 'buffer'), hash('sha256', given, 'buffer')]
  return timingSafeEqual(one, other)
}

function token(): string {
  return randomBytes(32).toString('base64url')
}

/** Empty where there is none, or more than one. */
function cookieIn({ headers }: IncomingMessage, name: string): string {
  const found = (headers.cookie ?? '').split(/;\s*/).filter((pair) => pair.startsWith(`${name}=`))
  return found.length === 1 ? (found[0] as string).slice(name.length + 1) : ''
}
