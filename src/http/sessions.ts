/** Sessions of the eras before 2026-07-28: each belongs to who opened it. And what stands for one where there is none. */
import { hash } from 'node:crypto'
import type { Line } from '../mcp/framing.ts'
import type { Interceptor } from '../mcp/interceptor.ts'
import { errorCodes } from '../mcp/refusal.ts'
import type { Principal } from '../model/call.ts'
import { canonical, type Json } from '../model/canonical.ts'
import type { Id } from '../model/message/message.ts'
import type { Asker } from './endpoint.ts'
import { sessionField } from './fields.ts'
import { resumeMsMax, sessionIdCharsMax, sessionIdleMsMax, untoldBytesMax, untoldMessagesMax } from './limits.ts'
import type { Reply } from './reply.ts'
import type { Place } from './shares.ts'

export interface Opened {
  readonly id: string
  readonly principal: Principal
  readonly interceptor: Interceptor
  /** Its place among those that callers share. */
  readonly place?: Place | undefined
}

/** Hears what belongs to no call. */
export type Listener = Pick<Reply, 'flush' | 'breakOff'> & { event(line: Line): void }

export class Session {
  readonly id: string
  readonly principal: Principal
  readonly interceptor: Interceptor
  readonly #owner: string
  /** Streams beside those of calls, in the order in which they were opened. */
  readonly #streams = new Set<Listener>()
  readonly #calls = new Set<Reply>()
  /** Calls whose stream broke, with the time: they may be resumed. */
  readonly #broken = new Map<Id, number>()
  readonly #giveBack: (() => void) | undefined
  #untold: readonly Line[] = []
  #usedAt = Date.now()

  constructor({ id, principal, interceptor, place }: Opened) {
    this.id = id
    this.principal = principal
    this.interceptor = interceptor
    this.#giveBack = place?.keep()
    this.#owner = ownerOf(principal)
  }

  belongsTo(principal: Principal): boolean {
    return this.#owner === ownerOf(principal)
  }

  get streams(): number {
    return this.#streams.size
  }

  /** It is not idle while a call is under way. Gives a function to call at the end of that. */
  use(reply: Reply): () => void {
    this.#calls.add(reply)
    return () => {
      this.#calls.delete(reply)
      this.#usedAt = Date.now()
    }
  }

  isIdle(now: number): boolean {
    return this.idleMs(now) > sessionIdleMsMax
  }

  /** Not at all while a call is under way or a stream is open. */
  idleMs(now: number): number {
    return this.#calls.size === 0 && this.#streams.size === 0 ? now - this.#usedAt : 0
  }

  /** A stream that hears what belongs to no call, from now on. Gives a function to call at its end. */
  async listen(listener: Listener): Promise<() => void> {
    this.#streams.add(listener)
    const untold = this.#untold
    this.#untold = []
    await this.tell(untold)
    return () => {
      this.#streams.delete(listener)
      this.#usedAt = Date.now()
    }
  }

  /** What belongs to no call: told once, now or to the next stream. */
  async tell(lines: readonly Line[]): Promise<void> {
    const [stream] = this.#streams
    if (stream === undefined) {
      this.#untold = lastOf([...new Set([...this.#untold, ...lines])])
      return
    }
    for (const line of lines) stream.event(line)
    await stream.flush()
  }

  broke(id: Id): void {
    this.#broken.set(id, Date.now())
  }

  /** Calls that were not resumed until then end as unknown. Gives what their callers are to be told. */
  giveUpBroken(before: number, why: string): readonly Line[] {
    const lines: Line[] = []
    for (const [id, at] of this.#broken) {
      if (at > before && this.interceptor.isWaiting(id)) continue
      this.#broken.delete(id)
      lines.push(...this.interceptor.unanswered(id, { status: 'unknown', detail: why }, why).toClient)
    }
    this.interceptor.settle()
    return lines
  }

  /** Whatever is under way stops, and its outcome is unknown; whoever listens hears the end. */
  end(why: string): void {
    this.#giveBack?.()
    this.giveUpBroken(Number.POSITIVE_INFINITY, why)
    for (const reply of [...this.#calls, ...this.#streams]) reply.breakOff(why)
  }
}

export class Sessions {
  readonly #sessions = new Map<string, Session>()

  get all(): readonly Session[] {
    return [...this.#sessions.values()]
  }

  /** Undefined for an id that no session can have: one that is taken is another caller's. */
  open(opened: Opened): Session | undefined {
    if (!isSessionId(opened.id) || this.#sessions.has(opened.id)) return undefined
    const session = new Session(opened)
    this.#sessions.set(session.id, session)
    return session
  }

  /**
   * The session that a request names; undefined when it names none. Null when it is not the asker's, who is told so:
   * another one's session is unknown, as one is that never was.
   */
  named({ headers, principal }: Asker, reply: Reply): Session | undefined | null {
    const id = headers[sessionField]
    if (id === undefined) return undefined
    const session = typeof id === 'string' ? this.#sessions.get(id) : undefined
    if (session?.belongsTo(principal)) return session
    reply.error(404, errorCodes.sessionNotFound, 'there is no such session: initialize again')
    return null
  }

  end(session: Session, why: string): void {
    if (this.#sessions.delete(session.id)) session.end(why)
  }

  /** Gives the sessions that nobody has used for long: they are over. */
  sweep(now: number): readonly Session[] {
    for (const session of this.all) session.giveUpBroken(now - resumeMsMax, 'its stream broke')
    const idle = this.all.filter((session) => session.isIdle(now))
    for (const session of idle) this.end(session, 'the session was not used any more')
    return idle
  }
}

/** What there is room for. */
function lastOf(lines: readonly Line[]): readonly Line[] {
  let bytes = 0
  const tooMuch = lines.findLastIndex((line) => {
    bytes += line.length
    return bytes > untoldBytesMax
  })
  return lines.slice(tooMuch + 1).slice(-untoldMessagesMax)
}

/** Visible ASCII, as the protocol says. */
function isSessionId(id: string): boolean {
  return id.length <= sessionIdCharsMax && /^[\x21-\x7e]+$/.test(id)
}

/** Principals that are the same for sessions. */
export function ownerOf(principal: Principal): string {
  return canonical(principal as Json)
}

/**
 * The name of the session of a caller that has none, at one server: the same after a restart, so that whoever is stopped by
 * it stays so. What else is known of a caller may change from token to token.
 */
export function sessionlessFor(server: string): (principal: Principal) => string {
  const known = new WeakMap<Principal, string>()
  return (principal) => {
    const { agent = null, user = null, project = null } = principal
    const name =
      known.get(principal) ?? `sessionless-${hash('sha256', canonical([server, agent, user, project])).slice(0, 32)}`
    known.set(principal, name)
    return name
  }
}
