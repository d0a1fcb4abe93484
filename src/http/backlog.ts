/**
 * What was told on the gate's own streams of a session, for as long as a client whose connection broke may come back for it.
 * Whether an event has arrived nobody knows but the client, so what was written is kept like what could not be.
 */
import { randomBytes } from 'node:crypto'
import { holdsList } from '../mcp/lists.ts'
import { isObject } from '../model/message/json.ts'
import type { Id } from '../model/message/message.ts'
import {
  keptAllBytesMax,
  keptBytesMax,
  keptMessageBytes,
  keptMessagesMax,
  keptStreamsMax,
  resumeMsMax,
} from './limits.ts'
import { type Keeper, Track } from './track.ts'

interface Kept {
  readonly track: Track
  readonly number: number
  readonly text: string
  readonly bytes: number
  readonly at: number
  /** Policies that were active before the one of its time. */
  readonly policies: number
}

/** Why a stream is not taken up again, in the words of an answer. */
export interface NotResumed {
  readonly status: number
  readonly why: string
}

/** The stream that a client has lost, and the last event of it that arrived there. */
export interface Lost {
  readonly track: Track
  readonly after: number
}

const eventId = /^([\w-]{12})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,14})$/

const unknown: NotResumed = { status: 400, why: 'the stream of this `Last-Event-ID` is unknown here: open another' }
const nothingLeft: NotResumed = { status: 400, why: 'this stream is over, and nothing came after this event' }
const gone: NotResumed = { status: 410, why: 'what came after this event is not kept any more: open another stream' }

/** Of one session. */
export class Backlog implements Keeper {
  /** By it the ids of one session differ from those of all others. It opens nothing, unlike the id of the session. */
  readonly #mark = randomBytes(9).toString('base64url')
  readonly #all: Backlogs
  readonly #tracks = new Map<number, Track>()
  #kept: Kept[] = []
  #opened = 0
  #isOver = false
  bytes = 0

  constructor(all: Backlogs) {
    this.#all = all
  }

  /** Undefined when there are too many: what is told then cannot be had again. `abandoned`: nobody comes back for it. */
  open(answers: Id | undefined, abandoned: () => void = () => {}): Track | undefined {
    if (this.#isOver || (this.#tracks.size >= keptStreamsMax && !this.#forgetOne())) return undefined
    const track = new Track(this, ++this.#opened, answers, abandoned)
    this.#tracks.set(track.number, track)
    return track
  }

  find(lastEventId: string): Lost | NotResumed {
    const [, mark, stream, number] = eventId.exec(lastEventId) ?? []
    const track = mark === this.#mark ? this.#tracks.get(Number(stream)) : undefined
    const after = Number(number)
    if (track === undefined || after > track.last) return unknown
    if (track.isOver && after === track.last) return nothingLeft
    return track.has(after) || track.answers !== undefined ? { track, after } : gone
  }

  get isGivenUp(): boolean {
    return this.#all.isGivenUp
  }

  idOf(track: Track, number: number): string {
    return `${this.#mark}.${track.number}.${number}`
  }

  keep(track: Track, number: number, text: string): void {
    // A character takes two bytes at most.
    const bytes = text.length * 2 + keptMessageBytes
    if (this.#isOver || bytes > keptBytesMax) {
      track.forgetUpTo(number)
      return
    }
    while (this.bytes + bytes > keptBytesMax || this.#kept.length >= keptMessagesMax) this.dropOldest()
    this.#kept.push({ track, number, text, bytes, at: Date.now(), policies: this.#all.policies })
    this.#count(bytes)
    this.#all.makeRoom()
  }

  /** A list shows what the policy allowed when it was told. */
  isOutdated(track: Track, after: number): boolean {
    const { policies } = this.#all
    return this.keptOf(track).some((kept) => kept.number > after && kept.policies !== policies && isList(kept.text))
  }

  keptOf(track: Track): readonly Kept[] {
    return this.#kept.filter((kept) => kept.track === track)
  }

  /** False when there is none. */
  dropOldest(): boolean {
    const oldest = this.#kept.shift()
    if (oldest === undefined) return false
    oldest.track.forgetUpTo(oldest.number)
    this.#count(-oldest.bytes)
    return true
  }

  /** What is older is over, and so are the streams that nobody came back for. */
  sweep(before: number): void {
    while (this.#kept[0] !== undefined && this.#kept[0].at < before) this.dropOldest()
    for (const track of this.#tracks.values()) {
      if (track.answers === undefined || track.isConnected || !track.wasLeftBefore(before)) continue
      this.#forget(track)
      if (!track.isOver) track.abandon()
    }
  }

  /** What has no connection by now is left. */
  giveUp(): void {
    for (const track of [...this.#tracks.values()])
      if (track.answers !== undefined && !track.isConnected && !track.isOver) track.abandon()
  }

  /** Of its session. */
  end(): void {
    this.#isOver = true
    this.#tracks.clear()
    this.#kept = []
    this.#count(-this.bytes)
  }

  /** One that nobody listens to and that is told nothing more, unless its client comes back. */
  #forgetOne(): boolean {
    const idle = [...this.#tracks.values()].find(
      ({ isConnected, isOver, answers }) => !isConnected && (isOver || answers === undefined),
    )
    if (idle !== undefined) this.#forget(idle)
    return idle !== undefined
  }

  #forget(track: Track): void {
    this.#tracks.delete(track.number)
    for (const { bytes } of this.keptOf(track)) this.#count(-bytes)
    this.#kept = this.#kept.filter((kept) => kept.track !== track)
  }

  #count(bytes: number): void {
    this.bytes += bytes
    this.#all.bytes += bytes
  }
}

/** Of all sessions of one server. */
export class Backlogs<Session extends object = object> {
  readonly #of = new Map<Session, Backlog>()
  readonly #bytesMax: number
  bytes = 0
  /** The gate ends: nobody can come back. */
  isGivenUp = false
  policies = 0

  constructor(bytesMax = keptAllBytesMax) {
    this.#bytesMax = bytesMax
  }

  of(session: Session): Backlog {
    const known = this.#of.get(session)
    if (known !== undefined) return known
    const backlog = new Backlog(this)
    this.#of.set(session, backlog)
    return backlog
  }

  end(session: Session): void {
    this.#of.get(session)?.end()
    this.#of.delete(session)
  }

  sweep(now: number): void {
    for (const backlog of this.#of.values()) backlog.sweep(now - resumeMsMax)
  }

  policyChanged(): void {
    this.policies++
  }

  giveUp(): void {
    this.isGivenUp = true
    for (const backlog of this.#of.values()) backlog.giveUp()
  }

  /** Whoever keeps most gives up its oldest: no session takes what others need. */
  makeRoom(): void {
    while (this.bytes > this.#bytesMax) {
      const [largest] = [...this.#of.values()].sort((one, other) => other.bytes - one.bytes)
      if (!largest?.dropOldest()) return
    }
  }
}

function isList(text: string): boolean {
  const { result } = JSON.parse(text) as { readonly result?: unknown }
  return isObject(result) && holdsList(result)
}
