/** The streams that the gate makes itself in sessions: answers that take their time, and what belongs to no call. */
import type { IncomingHttpHeaders } from 'node:http'
import type { Id } from '../model/message/message.ts'
import { Backlogs, type Lost, type NotResumed } from './backlog.ts'
import { takesEvents } from './endpoint.ts'
import { type Reply, untilStopped } from './reply.ts'
import { ResumableReply } from './resumable.ts'
import type { Listener, Session } from './sessions.ts'
import type { Track } from './track.ts'

export class OwnStreams {
  readonly #backlogs = new Backlogs<Session>()
  /** Those that end when the gate does. */
  readonly #listening = new Set<Reply>()

  /** The answer to a request: it may become a stream. */
  answer(session: Session, id: Id, headers: IncomingHttpHeaders, reply: Reply): ResumableReply {
    const backlog = () => this.#backlogs.of(session)
    return new ResumableReply(reply, { id, backlog, primes: primes(session) && takesEvents(headers) })
  }

  /** The stream that is asked for with GET; undefined for a new one. */
  lost(session: Session, headers: IncomingHttpHeaders): Lost | NotResumed | undefined {
    const id = headers['last-event-id']
    return id === undefined ? undefined : this.#backlogs.of(session).find(String(id))
  }

  /** Until it is over, or its connection is. */
  async open(session: Session, lost: Lost | undefined, reply: Reply): Promise<void> {
    reply.openStream({})
    if (lost?.track.answers !== undefined) return resumeAnswer(lost, lost.track.answers, reply)
    this.#listening.add(reply)
    await this.#listen(session, lost, reply)
    this.#listening.delete(reply)
  }

  sweep(now: number): void {
    this.#backlogs.sweep(now)
  }

  policyChanged(): void {
    this.#backlogs.policyChanged()
  }

  /** The session is over. */
  end(session: Session): void {
    this.#backlogs.end(session)
  }

  /** The gate is ending: answers that somebody waits for may still come. */
  endAll(): void {
    for (const reply of this.#listening) reply.breakOff('the gate is ending')
    this.#backlogs.giveUp()
  }

  /** A stream for what belongs to no call; one that was lost begins with what came after its last event. */
  async #listen(session: Session, lost: Lost | undefined, reply: Reply): Promise<void> {
    const track = lost?.track ?? this.#backlogs.of(session).open(undefined)
    const over = track?.connect(reply) ?? untilStopped(reply)
    if (lost !== undefined) lost.track.replay(lost.after)
    else if (primes(session)) track?.prime()
    const listener = track ? heardOn(track, reply) : reply
    const forget = await session.listen(listener)
    await listener.flush()
    await over
    forget()
  }
}

/** The answer to a call whose caller lost the connection. */
async function resumeAnswer({ track, after }: Lost, id: Id, reply: Reply): Promise<void> {
  const { isOver } = track
  const over = track.connect(reply)
  if (track.has(after)) track.replay(after)
  else track.tellLost(id)
  if (isOver) track.end()
  await track.flush()
  await over
}

/** Clients of older revisions take an event that says nothing for a message, and fail on it. */
function primes({ interceptor }: Session): boolean {
  return (interceptor.protocolVersion ?? '') >= '2025-11-25'
}

function heardOn(track: Track, reply: Reply): Listener {
  return {
    event: (line) => track.say(line),
    flush: () => track.flush(),
    breakOff: (why) => reply.breakOff(why),
  }
}
